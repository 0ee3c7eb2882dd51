package main

import (
	"strings"
	"testing"
)

const stream = `event: point
data: {"id":"pond.level","name":"库水位","unit":"m","value":1247.3,"quality":"good","t":0}

event: point
data: {"id":"door","value":true,"quality":"good","states":[{"value":0,"label":"开"},{"value":1,"label":"关"}]}

event: alarm
data: {"id":"pond.level/red","level":"red","state":"active"}

:

event: point
data: {"id":"pond.level","value":null,"quality":"comm"}

event: alarm
data: {"id":"pond.level/red","level":"red","state":"normal"}

:

`

func TestWatchPrintsALineForEachChange(t *testing.T) {
	var out strings.Builder
	if err := follow(strings.NewReader(stream), func(c change) error { return printChange(&out, c) }); err != nil {
		t.Fatal(err)
	}
	want := `--:--:--  point  pond.level  1247.3 m
--:--:--  point  door  关
--:--:--  alarm  pond.level/red  red active
--:--:--  point  pond.level  comm
--:--:--  alarm  pond.level/red  red normal
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// A bad value is shown as its cause, never as the value before it.
func TestTheScreenIsDrawnOnceATurn(t *testing.T) {
	var out strings.Builder
	s := new(screen)
	if err := follow(strings.NewReader(stream), func(c change) error { return s.change(&out, c) }); err != nil {
		t.Fatal(err)
	}
	turns := strings.Split(out.String(), "\x1b[H\x1b[2J")[1:]
	if len(turns) != 2 {
		t.Fatalf("drawn %d times", len(turns))
	}
	if !strings.Contains(turns[0], "red active") || !strings.Contains(turns[0], "1247.3 m") {
		t.Error(turns[0])
	}
	if strings.Contains(turns[1], "red") || strings.Contains(turns[1], "1247.3") || !strings.Contains(turns[1], "comm") {
		t.Error(turns[1])
	}
}

func TestAStreamThatIsNoneIsAnError(t *testing.T) {
	if err := follow(strings.NewReader("event: point\ndata: {\n"), func(c change) error { return printChange(new(strings.Builder), c) }); err == nil {
		t.Error("taken")
	}
	if err := follow(strings.NewReader(strings.Repeat("x", maxChange+1)), func(change) error { return nil }); err == nil {
		t.Error("an endless line is taken")
	}
}
