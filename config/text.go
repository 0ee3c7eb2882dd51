package config

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// maxFile bounds what is read: ten thousand points, generously commented, are
// under it.
const maxFile = 4 << 20

// readable says why bytes can't be a site file at all.
func (p *problems) readable(src []byte) bool {
	switch {
	case len(src) > maxFile:
		p.errorf(place{}, "is too large; want at most 4MiB")
	case bytes.HasPrefix(src, []byte("\xef\xbb\xbf")):
		p.errorf(place{line: 1, col: 1}, "begins with a byte order mark (BOM); want the file saved as UTF-8 without BOM")
	case bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")):
		p.errorf(place{line: 1, col: 1}, "is UTF-16; want the file saved as UTF-8")
	default:
		return p.letters(src)
	}
	return false
}

// letters judges the encoding and finds characters that no text has.
func (p *problems) letters(src []byte) bool {
	at := place{line: 1, col: 1}
	for i := 0; i < len(src); {
		c, n := utf8.DecodeRune(src[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			p.errorf(at, "%s", foreign(src[i:]))
			return false
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f:
			p.errorf(at, "a control character (U+%04X); want it deleted", c)
			return false
		}
		i += n
		at.col++
		if c == '\n' {
			at.line, at.col = at.line+1, 1
		}
	}
	return true
}

// foreign guesses the encoding of bytes that are not UTF-8.
func foreign(b []byte) string {
	if len(b) > 1 && b[0] >= 0x81 && b[0] <= 0xfe && b[1] >= 0x40 && b[1] <= 0xfe && b[1] != 0x7f {
		return fmt.Sprintf("not UTF-8: %#x looks like GBK, which Windows editors call ANSI; want the file saved as UTF-8", b[:2])
	}
	return fmt.Sprintf("not UTF-8: the byte %#x; want the file saved as UTF-8", b[0])
}
