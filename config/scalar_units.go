package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	durationForm = regexp.MustCompile(`^([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)$`)
	durationLike = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) *(msec|seconds|second|secs|sec|minutes|minute|mins|min|hours|hour|hrs|days|day|S|M|H|D|ms|s|m|h|d)?$`)
)

var durationUnits = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

func (s shape) scanDuration(v *value) string {
	m := durationForm.FindStringSubmatch(v.text)
	if m == nil {
		return s.notDuration(v.text)
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return s.notDuration(v.text)
	}
	v.num = f * durationUnits[m[2]].Seconds()
	if v.num < s.lo || v.num > s.hi {
		return fmt.Sprintf("%s is out of bounds; want %s to %s", v.text, written(s.lo), written(s.hi))
	}
	v.n = int64(math.Round(f * float64(durationUnits[m[2]])))
	return ""
}

func (s shape) notDuration(t string) string {
	m := durationLike.FindStringSubmatch(t)
	if m == nil {
		return fmt.Sprintf("%q is not a duration; want a number and ms, s, m, h or d, as 5s", t)
	}
	unit := strings.ToLower(m[2])
	switch unit {
	case "":
		u := s.unitOf(m[1])
		return fmt.Sprintf("%s has no unit; want %s%s, or %s", t, m[1], u, strings.Trim(strings.Replace(", ms, s, m, h, d,", " "+u+",", "", 1), ", "))
	case "ms", "msec":
		unit = "ms"
	default:
		unit = unit[:1]
	}
	return fmt.Sprintf("%q is not a duration; did you mean %s%s?", t, m[1], unit)
}

// unitOf is the unit that a number without one most likely has: seconds, where
// that fits.
func (s shape) unitOf(number string) string {
	f, _ := strconv.ParseFloat(number, 64)
	for _, u := range []string{"s", "ms", "m", "h", "d"} {
		if x := f * durationUnits[u].Seconds(); x >= s.lo && x <= s.hi {
			return u
		}
	}
	return "s"
}

// written is a duration as a site file has it.
func written(seconds float64) string {
	d := time.Duration(seconds * 1e9)
	for _, u := range []string{"d", "h", "m", "s"} {
		if n := durationUnits[u]; d != 0 && d%n == 0 {
			return strconv.FormatInt(int64(d/n), 10) + u
		}
	}
	switch {
	case d == 0:
		return "0s"
	case d > time.Second:
		return plain(d.Seconds()) + "s"
	}
	return plain(float64(d)/1e6) + "ms"
}

func writtenD(d time.Duration) string { return written(d.Seconds()) }

var (
	sizeForm = regexp.MustCompile(`^([0-9]{1,12}(?:\.[0-9]{1,9})?)(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$`)
	sizeLike = regexp.MustCompile(`(?i)^([0-9]+(?:\.[0-9]+)?) *([kmgt])?i?b?$`)
)

var sizeUnits = map[string]float64{"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

func (s shape) scanSize(v *value) string {
	m := sizeForm.FindStringSubmatch(v.text)
	if m == nil {
		if l := sizeLike.FindStringSubmatch(v.text); l != nil && l[2] != "" {
			u := strings.ToUpper(l[2])
			return fmt.Sprintf("%q is not a size; want %s%sB (powers of 1000) or %s%siB", v.text, l[1], u, l[1], u)
		}
		return fmt.Sprintf("%q is not a size; want a number and its unit, as 64MB or 64MiB", v.text)
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return fmt.Sprintf("%q is not a size", v.text)
	}
	v.num = f * sizeUnits[m[2]]
	v.n = int64(v.num)
	if v.num < s.lo || v.num > s.hi {
		return fmt.Sprintf("%s is out of bounds; want %s to %s", v.text, bytesOf(s.lo), bytesOf(s.hi))
	}
	return ""
}

// budgetOf is the bytes of a budget, which has its form.
func budgetOf(text string) int64 {
	m := sizeForm.FindStringSubmatch(strings.TrimSuffix(text, "/day"))
	if m == nil {
		return 0
	}
	f, _ := strconv.ParseFloat(m[1], 64) // the form is a number's
	return int64(min(f*sizeUnits[m[2]], 1e18))
}

func bytesOf(f float64) string {
	for _, u := range []string{"TB", "GB", "MB", "kB"} {
		if f >= sizeUnits[u] {
			return plain(f/sizeUnits[u]) + u
		}
	}
	return plain(f) + "B"
}

// utcOffset is the time that "+08:00" stands for; 0 for what was refused.
func utcOffset(text string) time.Duration {
	at, err := time.Parse("-07:00", text)
	if err != nil {
		return 0
	}
	_, east := at.Zone()
	return time.Duration(east) * time.Second
}
