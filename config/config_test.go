package config

import (
	"path"
	"testing"
)

func TestExamples(t *testing.T) {
	files, err := Examples.ReadDir("examples")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		src, err := Examples.ReadFile(path.Join("examples", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		site, problems := Parse(f.Name(), src)
		for _, p := range problems {
			t.Error(p)
		}
		if site == nil {
			continue
		}
		t.Log(site.Summary())
		if len(site.Later) > 0 {
			t.Errorf("%s: this version does not act on %v", f.Name(), site.Later)
		}
	}
}
