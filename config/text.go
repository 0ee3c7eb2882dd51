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
	var l spaces
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
		if wrong := l.next(c); wrong != "" && !p.ran {
			p.errorf(at, "%s", wrong)
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

// spaces watches a line for what looks like a space, or like nothing, and is
// neither to YAML: what comes of a chat or a web page on a phone.
type spaces struct {
	last            rune
	text            bool // something other than spaces came
	quoted, comment bool // from here on all is allowed
}

// next says what is wrong with the next letter of the file.
func (s *spaces) next(c rune) string {
	if c == '\n' {
		*s = spaces{}
		return ""
	}
	last := s.last
	s.last = c
	s.comment = s.comment || c == '#' && (last == 0 || last == ' ' || last == '\t')
	s.quoted = s.quoted || c == '"' || c == '\''
	switch {
	case s.comment:
	case c >= 0x200b && c <= 0x200f || c >= 0x202a && c <= 0x202e || c == 0x2060 || c == 0xfeff:
		return fmt.Sprintf("an invisible character (U+%04X); want it deleted", c)
	case (c == 0x3000 || c == 0xa0 || c >= 0x2000 && c <= 0x200a) && !s.quoted && (!s.text || last == ':'):
		if c == 0x3000 {
			return "a full-width space (U+3000), which is no space to YAML; want ordinary spaces"
		}
		return fmt.Sprintf("a space of another kind (U+%04X), which is none to YAML; want ordinary spaces", c)
	}
	s.text = s.text || c != ' ' && c != '\t'
	return ""
}

// foreign guesses the encoding of bytes that are not UTF-8.
func foreign(b []byte) string {
	if len(b) > 1 && b[0] >= 0x81 && b[0] <= 0xfe && b[1] >= 0x40 && b[1] <= 0xfe && b[1] != 0x7f {
		return fmt.Sprintf("not UTF-8: %#x looks like GBK, which Windows editors call ANSI; want the file saved as UTF-8", b[:2])
	}
	return fmt.Sprintf("not UTF-8: the byte %#x; want the file saved as UTF-8", b[0])
}
