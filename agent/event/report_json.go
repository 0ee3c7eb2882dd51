package event

// A Verdict is a Report as scripts read it.
type Verdict struct {
	Whole    bool             `json:"whole"`
	Keyed    bool             `json:"signatures"` // were judged
	Kid      string           `json:"kid,omitempty"`
	Lines    int              `json:"lines"`
	Events   int              `json:"events"`
	Repeats  int              `json:"repeats,omitempty"`
	Unstored int              `json:"unstored,omitempty"`
	Dropped  int              `json:"dropped,omitempty"`
	Broken   int              `json:"broken"` // findings that are not harmless
	Epochs   []VerdictEpoch   `json:"epochs"`
	Findings []VerdictFinding `json:"findings"`
	More     int              `json:"more,omitempty"` // findings beyond the first 1000
	Readings []Covered        `json:"readings,omitempty"`
}

// VerdictEpoch is an Epoch likewise.
type VerdictEpoch struct {
	Epoch  string `json:"epoch"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	Events int    `json:"events"`
	Hash   string `json:"h"`
}

// VerdictFinding is a Finding likewise.
type VerdictFinding struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	What     string `json:"what"`
	Harmless bool   `json:"harmless,omitempty"`
	Epoch    string `json:"epoch,omitempty"`
	Of       string `json:"of,omitempty"` // readings; empty: events
	From     uint64 `json:"from,omitempty"`
	To       uint64 `json:"to,omitempty"`
	Text     string `json:"text"`
}

// Verdict is the report for a script.
func (r Report) Verdict() Verdict {
	v := Verdict{Whole: r.Whole(), Keyed: r.Keyed, Kid: r.Kid, Lines: r.Lines, Events: r.Events, Repeats: r.Repeats, Unstored: r.Unstored,
		Dropped: r.Dropped, Broken: r.Broken, More: r.Untold, Readings: r.Readings, Epochs: []VerdictEpoch{}, Findings: []VerdictFinding{}}
	for _, e := range r.Epochs {
		if e.Events > 0 {
			v.Epochs = append(v.Epochs, VerdictEpoch{e.Name, e.First, e.Last, e.Events, e.Hash.String()})
		}
	}
	for _, f := range r.Findings {
		x := VerdictFinding{What: f.What.String(), Harmless: f.What.Harmless(), Epoch: f.Epoch, From: f.From, To: f.To, Text: f.Text}
		if f.Line > 0 {
			x.File, x.Line = r.where(f.Line)
		}
		if f.Readings {
			x.Of = "readings"
		}
		v.Findings = append(v.Findings, x)
	}
	return v
}
