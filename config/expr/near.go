package expr

import "strings"

// near is the candidate that s may have been meant to be, or nothing.
func near(s string, candidates []string) string {
	length := len([]rune(s))
	best, least := "", min(length/3, 3)+1
	if length == 2 {
		least = 2
	}
	for _, c := range candidates {
		d := Distance(s, c, least)
		if d < least || d == least && best != "" && c < best {
			best, least = c, d
		}
	}
	return best
}

// Distance counts the letters to insert, remove, replace or swap with their
// neighbour to make one word of another, small and capital letters alike. From
// limit on it doesn't matter, and may come out as anything above.
func Distance(one, another string, limit int) int {
	a, b := []rune(strings.ToLower(one)), []rune(strings.ToLower(another))
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
