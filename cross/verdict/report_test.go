package main

import (
	"strings"
	"testing"
)

const story = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"    a_test.go:3: a word\n"}
{"Action":"pass","Package":"p","Test":"TestGood","Elapsed":0.1}
{"Action":"run","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    b_test.go:9: figure: 12 of 13\n"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    b_test.go:10: the 13th is missing\n"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    main_test.go:7: log: the end of a broker's\n"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"        hundreds of lines\n"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"--- FAIL: TestBad (3.20s)\n"}
{"Action":"fail","Package":"p","Test":"TestBad","Elapsed":3.2}
{"Action":"output","Package":"p","Test":"TestParts/two","Output":"    c_test.go:3: figure: one\n"}
{"Action":"output","Package":"p","Test":"TestParts/one","Output":"    c_test.go:4: one is two\n"}
{"Action":"output","Package":"p","Test":"TestParts","Output":"--- FAIL: TestParts (0.00s)\n"}
{"Action":"output","Package":"p","Test":"TestParts/one","Output":"    --- FAIL: TestParts/one (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestParts/one","Elapsed":0}
{"Action":"output","Package":"p","Test":"TestParts/two","Output":"    --- PASS: TestParts/two (0.00s)\n"}
{"Action":"pass","Package":"p","Test":"TestParts/two","Elapsed":0}
{"Action":"fail","Package":"p","Test":"TestParts","Elapsed":0}
{"Action":"output","Package":"p","Output":"FAIL\tp\t3.3s\n"}
{"Action":"fail","Package":"p","Elapsed":3.3}
{"Action":"output","Package":"q","Output":"ok  \tq\t0.1s\n"}
{"Action":"pass","Package":"q","Elapsed":0.1}
{"ImportPath":"r [r.test]","Action":"build-output","Output":"r/x.go:3:1: undefined: y\n"}
{"ImportPath":"r [r.test]","Action":"build-fail"}
{"Action":"output","Package":"r","Output":"FAIL\tr [build failed]\n"}
{"Action":"fail","Package":"r","Elapsed":0,"FailedBuild":"r [r.test]"}
no JSON
`

func TestWhatFailedStandsLast(t *testing.T) {
	const last = `
FAILED p TestBad after 3 s
    b_test.go:10: the 13th is missing

FAILED p TestParts/one after 0 s
    c_test.go:4: one is two

FAILED r  after 0 s
r/x.go:3:1: undefined: y
FAIL	r [build failed]
`
	for _, all := range []bool{false, true} {
		var out strings.Builder
		r := newReport(&out, all)
		failed := 0
		for line := range strings.Lines(story) {
			if r.take([]byte(line)) {
				failed++
			}
		}
		r.end()
		got := out.String()
		if !strings.HasSuffix(got, "no JSON\n"+last) || failed != 3 || !r.failed() {
			t.Errorf("%d failed:\n%s", failed, got)
		}
		if strings.Contains(got, "a word") != all || !strings.Contains(got, "hundreds of lines\n") || strings.Count(got, "--- FAIL: TestBad") != 1 {
			t.Errorf("all %v:\n%s", all, got)
		}
	}
}
