package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whatever the bytes: no panic, an end in good time, a site or an error, and
// every error at a place in the file.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	more, _ := filepath.Glob("examples/*.yaml")
	for _, name := range append(files, more...) {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte(base + `  a: {value: "b"}` + "\n" + `  b: {value: "a"}`))
	f.Add([]byte(base + "uplinks: {u: {mqtt: [tcp://x]}}\nbuffer: {size: 1GB, events: 1MB}\nalive: {gpio: board/9}"))
	f.Add([]byte("a: [*b]\n"))
	f.Add([]byte("a: {b: “c”，\n\td：\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		begin := time.Now()
		site, problems := Parse("f", src)
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("took %v", took)
		}
		failed := false
		for _, p := range problems {
			failed = failed || !p.Warning
			if p.Line < 1 && len(src) <= maxFile || p.Text == "" || p.Line > 0 && p.Col < 1 {
				t.Errorf("%+v", p)
			}
		}
		if failed != (site == nil) {
			t.Errorf("site %v in spite of %s", site, said(problems))
		}
	})
}
