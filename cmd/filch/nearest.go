package main

import "strings"

// nearest returns the name that word most likely was meant to be, or "" if none
// is near: one that it begins, else one at a distance of at most a third of
// its letters. Of equals the first wins.
func nearest(word string, names []string) string {
	best, at := "", len(word)/3+1
	for _, name := range names {
		d := distance(word, name)
		if strings.HasPrefix(name, word) {
			d = 0
		}
		if d < at {
			best, at = name, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
