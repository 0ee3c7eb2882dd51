package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// scan reads the text of a scalar into v as its shape says; what it returns is
// what is wrong and what would be right, or nothing.
func (s shape) scan(v *value) string {
	switch s.form {
	case formBool:
		return scanBool(v)
	case formInt, formNumber:
		return s.scanNumber(v)
	case formDuration:
		return s.scanDuration(v)
	case formSize:
		return s.scanSize(v)
	case formWord:
		return s.scanWord(v)
	case formRegister:
		return scanRegister(v)
	case formHost:
		return scanHost(v.text)
	case formListen:
		if strings.HasPrefix(v.text, ":") {
			return scanHost("0.0.0.0" + v.text)
		}
		if v.text != "" && strings.Trim(v.text, "0123456789") == "" {
			return fmt.Sprintf("%s is only a port; want host:port, as 127.0.0.1:%s, or :%s for whoever reaches the gateway", v.text, v.text, v.text)
		}
		return scanHost(v.text)
	case formURL:
		return scanBroker(v)
	case formText, formFile, formExpr, formScalar:
		if v.text == "" {
			return "is empty; leave the key out or give it a value"
		}
		return ""
	}
	p, ok := patterns[s.form]
	if !ok {
		return ""
	}
	if !p.re.MatchString(v.text) {
		return fmt.Sprintf("%q is not %s; want %s", v.text, p.what, p.want)
	}
	if s.form == formID {
		return judgeID(v.text)
	}
	return ""
}

const idWant = "lower-case letters, digits, _ and dots, beginning with a letter"

// patterns are the forms that a regular expression says everything about.
var patterns = map[form]struct {
	re         *regexp.Regexp
	what, want string
}{
	formSlug:    {regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`), "a name for a topic", "lower-case letters, digits and -"},
	formID:      {regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`), "an id", idWant},
	formPattern: {regexp.MustCompile(`^[a-z*][a-z0-9_.*]*$`), "a pattern of ids", `ids, or ids with *, as "pond.*"`},
	formPercent: {regexp.MustCompile(`^(100|[0-9]{1,2})(\.[0-9]+)?%$`), "a share", "0% to 100%"},
	formRate:    {regexp.MustCompile(`^[0-9]+(\.[0-9]+)?/(s|m|h)$`), "a rate", "a number a second, minute or hour, as 10/s"},
	formBudget:  {regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(kB|MB|GB|KiB|MiB|GiB)/day$`), "a budget", "bytes a day, as 20MB/day"},
	formOffset:  {regexp.MustCompile(`^[+-](0[0-9]|1[0-4]):[0-5][0-9]$`), "an offset from UTC", `hours and minutes, as "+08:00"`},
	formPin:     {regexp.MustCompile(`^[a-z][a-z0-9_.]*/[A-Za-z0-9_.-]+$`), "a line", "the bus and the line on it, as board/17"},
	formProbe:   {regexp.MustCompile(`^(rtsp|tcp|http|https)://[^\s/]+(/\S*)?$`), "an address to probe", `rtsp://, tcp:// or http:// and a host, as "rtsp://192.168.1.64:554/"`},
}

var reserved = []string{"and", "or", "not", "if", "true", "false", "mode"}

// judgeID says what is wrong with an id of the right letters.
func judgeID(id string) string {
	if slices.Contains(reserved, id) {
		return fmt.Sprintf("%q is a word of expressions; want another id", id)
	}
	if len(id) > 64 {
		return fmt.Sprintf("an id of %d characters; want at most 64", len(id))
	}
	return ""
}

var truths = map[string]int64{"on": 1, "yes": 1, "true": 1, "off": 0, "no": 0, "false": 0}

func scanBool(v *value) string {
	n, ok := truths[strings.ToLower(v.text)]
	if !ok {
		return fmt.Sprintf("%q is neither on nor off; want on or off", v.text)
	}
	v.n = n
	return ""
}

func (s shape) scanWord(v *value) string {
	if slices.Contains(s.words, v.text) || slices.Contains(s.after, v.text) {
		return ""
	}
	all := append(slices.Clone(s.words), s.after...)
	if w := near(v.text, all); w != "" {
		return fmt.Sprintf("%q is unknown; did you mean %q?", v.text, w)
	}
	return fmt.Sprintf("%q is unknown; want %s", v.text, orList(all))
}

var (
	decimalForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)
	hexForm     = regexp.MustCompile(`^0[xX][0-9A-Fa-f]{1,16}$`)
	hexTail     = regexp.MustCompile(`^[0-9A-Fa-f]{1,16}[hH]$`)
	zeroForm    = regexp.MustCompile(`^-?0+([0-9]+(\.[0-9]+)?)$`)
	pointForm   = regexp.MustCompile(`^-?\.[0-9]+$`)
	commaForm   = regexp.MustCompile(`^-?[0-9]+[,_，][0-9]+$`)
)

// scanNumber reads a number from its text, never from what YAML makes of it:
// 010 could be 10 or 8, and so is neither.
func (s shape) scanNumber(v *value) string {
	if hexForm.MatchString(v.text) {
		u, err := strconv.ParseUint(v.text[2:], 16, 64)
		if err != nil {
			return fmt.Sprintf("%q is not a number; want a number such as 12", v.text)
		}
		v.hex, v.bits, v.num = true, u, float64(u)
		if u <= math.MaxInt64 {
			v.n = int64(u)
		}
		return s.bounds(v)
	}
	if !decimalForm.MatchString(v.text) {
		return notNumber(v.text)
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil {
		return fmt.Sprintf("%s is too large for a number", v.text)
	}
	v.num = f
	if s.form == formInt {
		if v.n, err = strconv.ParseInt(v.text, 10, 64); err != nil {
			if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
				return fmt.Sprintf("%s is not written as a whole number; want %s", v.text, plain(f))
			}
			return fmt.Sprintf("%s is not whole; want a whole number%s", v.text, s.between())
		}
	}
	return s.bounds(v)
}

// notNumber tells apart how people write numbers that are none.
func notNumber(t string) string {
	switch {
	case hexTail.MatchString(t):
		return fmt.Sprintf("%q is not a number; hexadecimal is written 0x%s", t, strings.ToUpper(t[:len(t)-1]))
	case zeroForm.MatchString(t):
		m := strings.TrimPrefix(t, "-")
		return fmt.Sprintf("%s begins with 0, which could be meant as octal; want %s", t, strings.TrimSuffix(t, m)+zeroForm.FindStringSubmatch(t)[1])
	case pointForm.MatchString(t):
		return fmt.Sprintf("%s has no digit before the point; want %s", t, strings.Replace(t, ".", "0.", 1))
	case commaForm.MatchString(t):
		return fmt.Sprintf("%q is not a number; want a point before decimals and nothing between thousands", t)
	case strings.HasPrefix(t, "+") && decimalForm.MatchString(t[1:]):
		return fmt.Sprintf("%s has a sign; want %s", t, t[1:])
	case strings.ContainsAny(t, "０１２３４５６７８９．－"):
		return fmt.Sprintf("%q has full-width digits; want the half-width ones", t)
	}
	return fmt.Sprintf("%q is not a number; want a number such as 12", t)
}

func (s shape) bounds(v *value) string {
	if s.lo == 0 && s.hi == 0 || v.num >= s.lo && v.num <= s.hi {
		return ""
	}
	return v.text + " is out of bounds; want a number" + s.between()
}

func (s shape) between() string {
	switch {
	case s.lo == 0 && s.hi == 0:
		return ""
	case s.form == formNumber && s.lo == 0:
		return " of at least 0"
	case s.form == formNumber:
		return " above 0"
	}
	return " from " + plain(s.lo) + " to " + plain(s.hi)
}

// plain is a number as a person writes it.
func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
