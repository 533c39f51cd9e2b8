package uts

import "math"

const (
	// draws is how many values a node's draw can have.
	draws = 1 << 31

	// maxRows bounds the thresholds kept, 400 bytes a depth at most. Linear,
	// Cyclic and Fixed trees of published size end far above; only the thin
	// tail of an ExpDec tree goes on, and pays for its logarithms.
	maxRows = 512
)

// meanAt is b_i, the mean number of children at a depth.
func meanAt(p Params, depth int) float64 {
	if depth == 0 {
		return p.B
	}
	x, d := float64(depth), float64(p.D)
	switch p.Shape {
	case ExpDec:
		return p.B * math.Pow(x, -math.Log(p.B)/math.Log(d))
	case Cyclic:
		if depth > 5*p.D {
			return 0
		}
		return math.Pow(p.B, math.Sin(2*math.Pi*x/d))
	case Fixed:
		if depth < p.D {
			return p.B
		}
		return 0
	default:
		return p.B * (1 - x/d)
	}
}

// geometricChildren is the definition, word for word: floor(ln(1-u) / ln(1-p))
// with p = 1/(1+mean), at most maxChildren. Everything else here must agree
// with it for every draw.
func geometricChildren(mean float64, draw uint32) int {
	if !(mean > 0) {
		return 0
	}
	u := float64(draw) / draws
	p := 1 / (1 + mean)
	return int(min(math.Floor(math.Log(1-u)/math.Log(1-p)), maxChildren))
}

// makeRows makes the rows of depths 0 to depths-1, and stops early at the depth
// from which the tree has no children: there the row is empty and nobody is
// below it.
func makeRows(p Params, depths int) [][]uint32 {
	var rows [][]uint32
	for depth := range depths {
		mean := meanAt(p, depth)
		if depth > 1 && mean == meanAt(p, depth-1) {
			rows = append(rows, rows[depth-1]) // Fixed: one row stays in the cache
			continue
		}
		rows = append(rows, thresholds(mean))
	}
	return rows
}

// thresholds returns, for k = 1, 2, ..., the least draw that yields k children:
// as many as draws can reach, at most maxChildren. 1-u takes steps of 2^-31 and
// a float64 logarithm is good to 2^-50 there, so geometricChildren strictly
// follows the draw and the least one is well defined.
func thresholds(mean float64) []uint32 {
	var row []uint32
	least := 0
	for k := 1; k <= maxChildren && geometricChildren(mean, draws-1) >= k; k++ {
		least = leastDraw(mean, k, least)
		row = append(row, uint32(least))
	}
	return row
}

// leastDraw finds by bisection the least draw, from low on, that yields k children. The
// largest draw is known to do.
func leastDraw(mean float64, k, low int) int {
	high := draws - 1
	for low < high {
		middle := (low + high) / 2
		if geometricChildren(mean, uint32(middle)) >= k {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// countReached returns how many thresholds the draw has reached. The walk is linear
// because the mean is small: a bisection would cost more mispredictions than it
// saves compares.
func countReached(row []uint32, draw uint32) int {
	for k, least := range row {
		if draw < least {
			return k
		}
	}
	return len(row)
}
