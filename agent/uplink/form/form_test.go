package form

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"text/template"
)

func valueOf(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

const reading = `{"p":"pond.level","t":1763779200123,"v":1247.315,"n":7,"list":[1,2,3],"o":{"b":2,"a":"x"},"s":"","f":false}`

func TestForms(t *testing.T) {
	for src, want := range map[string]string{
		`a {{ .p }} b`: "a pond.level b", `{{ .v }}/{{ .none }}/{{ .o.a }}/{{ .o.none.deep }}`: "1247.315//x/",
		"a \n {{- .n -}} \n b":                              "a7b",
		`{{/* nothing }} */}}x`:                             "x",
		`{{ if .s }}1{{ else if .n }}2{{ else }}3{{ end }}`: "2", `{{ if not .f }}1{{ end }}`: "1",
		`{{ range $i, $x := .list }}{{ if $i }},{{ end }}{{ $x }}{{ end }}`: "1,2,3", `{{ range .o }}[{{ . }}]{{ end }}`: "[x][2]",
		`{{ range .none }}x{{ else }}none{{ end }}`: "none", `{{ range .list }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ . }}{{ end }}`: "13",
		`{{ range .list }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}`: "1",
		`{{ with .o }}{{ .a }}{{ $.p }}{{ end }}`:                              "xpond.level", `{{ $x := 1 }}{{ range .list }}{{ $x = . }}{{ end }}{{ $x }}`: "3",
		`{{ .v | round 1 }} {{ round 0 .v }}`: "1247.3 1247", `{{ printf "%05d %.2f %s %%" .n .v .p }}`: "00007 1247.32 pond.level %",
		`{{ json (dict "a" .n "b" (list 1 "x")) }}`: `{"a":7,"b":[1,"x"]}`, `{{ len .list }}{{ index .list 1 }}{{ index .o "a" }}`: "32x",
		`{{ frame "03" 2 "abc" }}`: "\x03\x00\x03abc", `{{ hex "0d0a" }}`: "\r\n", `{{ default "good" .q }}`: "good", `{{ add 1 (mul 2 3) }}`: "7",
		`{{ if and .p (or .s .n) }}y{{ end }}`: "y", `{{ eq .p "a" "pond.level" }}{{ lt 1 2 }}{{ ge 1 2 }}`: "truetruefalse",
		`{{ define "x" }}<{{ . }}>{{ end }}{{ template "x" .n }}{{ include "x" .p | len }}`: "<7>12",
		"{{ `raw \"` }}{{ \"a\\n\" }}": "raw \"a\n", `{{ (dict "a" 5).a }}`: "5", `{{ $d := dict }}{{ set $d "k" 1 }}{{ $d }}`: `{"k":1}`,
		`{{ upper "a" }}{{ replace "a" "b" "aa" }}{{ index (split "." .p) 1 }}`: "Abblevel",
	} {
		f, err := Parse(src, nil)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		got, err := f.Run(valueOf(t, reading), 1000)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q, want %q; %v", src, got, want, err)
		}
	}
}

// Where text/template knows a form, too, both write the same.
func TestAsTextTemplateDoes(t *testing.T) {
	for _, src := range []string{
		"a {{ .p }}\n  {{- if .n }} yes {{ else }} no {{ end -}}  \n b", `{{ range $i, $x := .list }}{{ $i }}{{ $x }}{{ end }}`,
		`{{ with $x := .o }}{{ $x.a }}{{ .b }}{{ else }}no{{ end }}`, `{{ $x := 1 }}{{ if .n }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}`,
		`{{ define "a" }}[{{ . }}]{{ end }}{{ template "a" .p }}`, `{{ if and .n .s }}a{{ else if or .n .s }}b{{ end }}`, `{{ len .list }}{{ index .list 2 }}{{ not .f }}`,
		`{{- /* c */ -}} x {{ "q\"}}" }}`,
	} {
		ours, err := Parse(src, nil)
		theirs, wrong := template.New("").Parse(src)
		if err != nil || wrong != nil {
			t.Errorf("%s: %v, %v", src, err, wrong)
			continue
		}
		got, err := ours.Run(valueOf(t, reading), 1000)
		var want strings.Builder
		if wrong := theirs.Execute(&want, valueOf(t, reading)); err != nil || wrong != nil || string(got) != want.String() {
			t.Errorf("%s: %q, text/template %q; %v %v", src, got, want.String(), err, wrong)
		}
	}
}

// Promise 2.
func TestMistakesAreTold(t *testing.T) {
	for src, why := range map[string]string{
		"{{ if .a }}": "no {{end}}", "x{{ end }}": "without a beginning", "{{ .a": "{{ without }}", "\n\n{{ nothing .a }}": `line 3: there is no function "nothing"`,
		`{{ $x }}`: "no variable $x", `{{ .a .b }}`: "no function", `{{ template "x" . }}`: `"x" is defined`, `{{ "a }}`: "{{ without }}", `{{ ( .a }}`: "( without )",
		`{{ range .a }}{{ else if .b }}`: "no {{end}}", `{{ }}`: "missing", `{{ a := 1 }}`: "no variable", `{{ if .a }}{{ else foo }}{{ end }}`: "not understood",
		strings.Repeat("{{ if .a }}", 500): "too deep", "{{ " + strings.Repeat("(", 500) + " }}": "too deep", `{{ .a | 5 }}`: "no function",
	} {
		if _, err := Parse(src, nil); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.40q: %v, want %q", src, err, why)
		}
	}
}

// Promise 1.
func TestNoFormRunsForEver(t *testing.T) {
	long := "[" + strings.Repeat("0,", 2000) + "0]"
	for src, why := range map[string]string{
		`{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}`:               "too deep",
		`{{ range . }}{{ $ | len }}{{ end }}`:                                             "bytes",
		`{{ range . }}{{ range $ }}{{ range $ }}{{ $x := 1 }}{{ end }}{{ end }}{{ end }}`: "too long",
		`{{ $x := "0123456789" }}{{ range . }}{{ $x = printf "%s%s" $x $x }}{{ end }}`:    "too long",
		`{{ $x := dict }}{{ set $x "x" $x }}{{ $x }}`:                                     "",
		`{{ printf "%999999999d" 1 }}`:                                                    "width",
		`{{ div 1 0 }}`:                                                                   "no number", `{{ index . 5000 }}`: "no item", `{{ range 5 }}{{ end }}`: "no list", `{{ hex "0" }}`: "hex", `{{ break }}`: "outside",
	} {
		f, err := Parse(src, nil)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if _, err := f.Run(valueOf(t, long), 1000); (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", src, err, why)
		}
	}
}

func FuzzForm(f *testing.F) {
	for _, name := range []string{"thingsboard/data", "geohazard/data", "province/events"} {
		text, err := os.ReadFile("../../../config/platforms/" + name + ".tmpl")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), reading)
	}
	f.Add(`{{ range $k, $v := . }}{{ $k }}{{ printf "%x" $v }}{{ end }}`, reading)
	f.Fuzz(func(t *testing.T, src, value string) {
		var v any
		if json.Unmarshal([]byte(value), &v) != nil {
			v = value
		}
		form, err := Parse(src, nil)
		if err != nil {
			return
		}
		if out, _ := form.Run(v, 10_000); len(out) > 10_000 {
			t.Errorf("%d bytes", len(out))
		}
	})
}
