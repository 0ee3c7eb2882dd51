package config

import "time"

// A key is one row of the table: a word that may stand in one kind of section.
type key struct {
	name  string
	shape shape
	def   string // the default as it would be written; in parentheses where it depends on something else
	flags flags
	doc   string // one line, for the schema and the reference page
}

type flags uint8

const (
	must  flags = 1 << iota // it has to be there
	later                   // judged, but this version does not act on it
)

// A section is the keys that may stand together.
type section struct {
	name string // as shapes refer to it
	what string // as a person would call it, with its article
	keys []key
}

func (s *section) key(name string) *key {
	for i := range s.keys {
		if s.keys[i].name == name {
			return &s.keys[i]
		}
	}
	return nil
}

// form is how a value is written.
type form uint8

const (
	formText     form = iota
	formSlug          // [a-z0-9][a-z0-9-]*
	formID            // of a thing in this file
	formPattern       // of ids; * crosses dots
	formWord          // one of a few
	formBool          // on off yes no true false
	formInt           // decimal, or 0x and hexadecimal
	formNumber        // decimal, or 0x and hexadecimal
	formDuration      // 500ms 5s 1m 24h 7d
	formSize          // 64MB 64MiB
	formPercent       // 10%
	formRate          // 10/s
	formBudget        // 20MB/day
	formOffset        // +08:00
	formRegister      // the manual's number: 40001
	formPin           // board/17
	formHost          // host:port
	formListen        // host:port or :port
	formURL           // of a broker
	formProbe         // of what answers or not
	formFile          // relative to the site file's folder
	formExpr          // an expression
	formScalar        // what fits is known only by another key
	formList
	formSection // keys from the table
	formMap     // keys of the technician's choice
	formEither  // one of several, told apart by their YAML kind
)

// shape is a form with its bounds.
type shape struct {
	form    form
	lo, hi  float64  // of a number, of a duration in seconds, of a size in bytes; of a list or a text its length; both 0: no bounds
	words   []string // of formWord, or the only keys of a formMap
	after   []string // words that this version judges but does not act on
	section string
	always  bool    // a section that is there, with its defaults, even if nobody wrote it
	key     *shape  // of the keys of a formMap; nil: ids
	of      []shape // the element, or the alternatives of formEither
}

var (
	text     = shape{form: formText}
	label    = shape{form: formText, hi: 200} // characters; it goes into each event, and an event must fit into a message
	slug     = shape{form: formSlug}
	ident    = shape{form: formID}
	pattern  = shape{form: formPattern}
	boolean  = shape{form: formBool}
	number   = shape{form: formNumber}
	percent  = shape{form: formPercent}
	rate     = shape{form: formRate}
	budget   = shape{form: formBudget}
	offset   = shape{form: formOffset}
	register = shape{form: formRegister}
	pin      = shape{form: formPin}
	hostport = shape{form: formHost}
	listen   = shape{form: formListen}
	broker   = shape{form: formURL}
	prober   = shape{form: formProbe}
	file     = shape{form: formFile}
	formula  = shape{form: formExpr}
	scalar   = shape{form: formScalar}
	positive = shape{form: formNumber, lo: 1e-12, hi: 1e12}
	notLess0 = shape{form: formNumber, lo: 0, hi: 1e12}
	level    = words("blue", "yellow", "orange", "red")
	interval = list(number, 2, 2)
	address  = ints(0, 65535)
)

func words(w ...string) shape { return shape{form: formWord, words: w} }

// or adds words that this version judges but does not act on.
func (s shape) or(w ...string) shape { s.after = w; return s }

func ints(lo, hi float64) shape { return shape{form: formInt, lo: lo, hi: hi} }

func span(lo, hi time.Duration) shape {
	return shape{form: formDuration, lo: lo.Seconds(), hi: hi.Seconds()}
}

func size(lo, hi float64) shape { return shape{form: formSize, lo: lo, hi: hi} }

func list(of shape, lo, hi float64) shape {
	return shape{form: formList, of: []shape{of}, lo: lo, hi: hi}
}

func sect(name string) shape    { return shape{form: formSection, section: name} }
func whole(name string) shape   { return shape{form: formSection, section: name, always: true} }
func things(name string) shape  { return shape{form: formMap, of: []shape{sect(name)}} }
func either(of ...shape) shape  { return shape{form: formEither, of: of} }
func named(of shape) shape      { return shape{form: formMap, of: []shape{of}} }
func keyed(key, of shape) shape { return shape{form: formMap, key: &key, of: []shape{of}} }

// byWord is a mapping whose keys are of a few words.
func byWord(of shape, w ...string) shape {
	return shape{form: formMap, words: w, of: []shape{of}}
}

const (
	msec = time.Millisecond
	sec  = time.Second
	day  = 24 * time.Hour
	year = 365 * day
	many = 100_000 // entries of a list
	mega = 1e6
	tera = 1e12
)
