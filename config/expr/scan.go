package expr

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// tokenKind tells the words of the language apart.
type tokenKind uint8

const (
	end      tokenKind = iota
	number             // 1250.0
	duration           // 10m
	word               // a point, a function, a keyword; dots belong to it
	text               // 'in single quotes'
	sign               // operators, parentheses, comma
)

type token struct {
	kind tokenKind
	text string // as written; of a text what stands between the quotes; = is ==
	num  float64
	col  int
}

func (t token) String() string {
	if t.kind == text {
		return "'" + t.text + "'"
	}
	return t.text
}

// next moves on to the next token; after a mistake there is only the end.
func (p *parser) next() {
	for r := p.peek(0); r == ' ' || r == '\t' || r == '\n' || r == '\r'; r = p.peek(0) {
		p.pos++
	}
	p.tok = token{col: p.pos + 1}
	switch r := p.peek(0); {
	case p.err != nil || p.pos == len(p.src):
	case '0' <= r && r <= '9':
		p.scanNumber()
	case startsWord(r):
		p.take(word, p.wordLength())
	case r == '\'':
		p.scanText()
	default:
		p.scanSign()
	}
}

// peek is the rune so far ahead, 0 behind the end.
func (p *parser) peek(ahead int) rune {
	if p.pos+ahead < len(p.src) {
		return p.src[p.pos+ahead]
	}
	return 0
}

func (p *parser) take(k tokenKind, length int) {
	p.tok.kind, p.tok.text = k, string(p.src[p.pos:p.pos+length])
	p.pos += length
}

// Letters of every script make words, so that 库水位 is an unknown name and no
// stray character; full-width forms don't, since they are typing mistakes.
func startsWord(r rune) bool {
	return (unicode.IsLetter(r) || r == '_') && !fullWidth(r)
}

func inWord(r rune) bool {
	return startsWord(r) || '0' <= r && r <= '9'
}

// wordLength takes a dot along where the word goes on behind it.
func (p *parser) wordLength() int {
	n := 1
	for inWord(p.peek(n)) || p.peek(n) == '.' && inWord(p.peek(n+1)) {
		n++
	}
	return n
}

func (p *parser) digits(from int) int {
	n := from
	for '0' <= p.peek(n) && p.peek(n) <= '9' {
		n++
	}
	return n
}

func (p *parser) scanNumber() {
	n := p.digits(0)
	whole := n
	if p.peek(n) == '.' {
		n = p.digits(n + 1)
	}
	if p.peek(n) == 'e' || p.peek(n) == 'E' {
		mark := n + 1
		if p.peek(mark) == '+' || p.peek(mark) == '-' {
			mark++
		}
		if m := p.digits(mark); m > mark {
			n = m
		}
	}
	if inWord(p.peek(n)) || p.src[p.pos+n-1] == '.' {
		p.scanDuration(whole, n)
		return
	}
	p.take(number, n)
	f, err := strconv.ParseFloat(p.tok.text, 64)
	if err != nil {
		p.fail(p.tok.col, "%s is too large for a number", p.tok.text)
	}
	p.tok.num = f
}

var units = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// scanDuration takes digits with letters behind them: a duration, whose num is
// in nanoseconds, or a mistake.
func (p *parser) scanDuration(whole, length int) {
	for inWord(p.peek(length)) {
		length++
	}
	p.take(duration, length)
	digits, letters := p.tok.text[:whole], p.tok.text[whole:]
	unit, ok := units[letters]
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case !ok:
		p.fail(p.tok.col, "%s is neither a number nor a duration such as 500ms, 5s, 10m, 24h, 7d", p.tok.text)
	case err != nil || n > int64(math.MaxInt64/unit):
		p.fail(p.tok.col, "%s is too long for a duration", p.tok.text)
	case n == 0:
		p.fail(p.tok.col, "a duration must be more than 0")
	}
	p.tok.num = float64(n) * float64(unit)
}

func (p *parser) scanText() {
	n := 1
	for p.pos+n < len(p.src) && p.peek(n) != '\'' {
		n++
	}
	if p.pos+n == len(p.src) {
		p.fail(p.tok.col, "the text that begins here has no ' at its end")
		return
	}
	p.take(text, n+1)
	p.tok.text = p.tok.text[1 : len(p.tok.text)-1]
}

func (p *parser) scanSign() {
	two := string([]rune{p.peek(0), p.peek(1)})
	switch {
	case two == "==" || two == "<>" || two == "<=" || two == ">=":
		p.take(sign, 2)
	case twoHints[two] != "":
		p.fail(p.tok.col, "%s is not known here; write %s", two, twoHints[two])
	case strings.ContainsRune("+-*/^(),=<>[]", p.peek(0)):
		p.take(sign, 1)
		if p.tok.text == "=" {
			p.tok.text = "=="
		}
	default:
		p.failRune(p.peek(0))
	}
}

// What other languages, and Chinese keyboards, use instead.
var twoHints = map[string]string{
	"!=": "<>", "=<": "<=", "=>": ">=", "**": "^", "&&": "and", "||": "or",
}

var runeHints = map[rune]string{
	'!': "not", '&': "and", '|': "or", '?': "if(a, b, c)", ':': "if(a, b, c)",
	'"': "text in single quotes", '“': "text in single quotes", '”': "text in single quotes",
	'‘': "text in single quotes", '’': "text in single quotes",
	'≥': ">=", '≤': "<=", '≠': "<>", '×': "*", '÷': "/", '−': "-", '–': "-",
	'、': ",", '\u3000': "a plain space",
}

func fullWidth(r rune) bool { return '！' <= r && r <= '～' }

func (p *parser) failRune(r rune) {
	switch hint := runeHints[r]; {
	case fullWidth(r):
		p.fail(p.tok.col, "%c is a full-width character; write %c", r, r-0xFEE0)
	case hint != "":
		p.fail(p.tok.col, "%q is not known here; write %s", r, hint)
	default:
		p.fail(p.tok.col, "%q has no meaning here", r)
	}
}
