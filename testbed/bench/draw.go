package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

// The drawing: for each contest a bar per contender, on a logarithmic axis of how often filch's time fits into
// the contender's. Bars to the right of 1 are slower than filch, those to the left faster; a whisker spans single rounds.
const (
	drawWidth   = 860
	drawLeft    = 270 // where the axis' least value is
	drawRight   = 90  // room for figures
	barHeight   = 15
	barPitch    = 20
	groupHeight = 34 // of a contest's title
	axisHeight  = 40
)

// An axis maps ratios to the drawing.
type axis struct{ low, high float64 } // decades

func (a axis) x(v float64) float64 {
	share := (math.Log10(v) - a.low) / (a.high - a.low)
	return drawLeft + share*(drawWidth-drawLeft-drawRight)
}

// draw returns an SVG.
func (r report) draw() []byte {
	a, height := axis{low: -1, high: 1}, axisHeight
	for _, s := range r.standings {
		height += groupHeight
		for _, b := range s.bars() {
			height += barPitch
			a.low, a.high = min(a.low, math.Floor(math.Log10(b.of.min))), max(a.high, math.Ceil(math.Log10(b.of.max)))
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", drawWidth, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", drawWidth, height)
	for decade := a.low; decade <= a.high; decade++ {
		x, stroke := a.x(math.Pow(10, decade)), "#e4e4e4"
		if decade == 0 {
			stroke = "#555555"
		}
		fmt.Fprintf(&out, `<line x1="%.1f" x2="%.1f" y1="0" y2="%d" stroke="%s"/>`+"\n", x, x, height-axisHeight, stroke)
		fmt.Fprintf(&out, `<text x="%.1f" y="%d" text-anchor="middle" fill="#333333">%g</text>`+"\n", x, height-axisHeight+16, math.Pow(10, decade))
	}
	fmt.Fprintf(&out, `<text x="%.1f" y="%d" text-anchor="middle" fill="#333333">time ÷ filch's: left of 1 faster than filch, right of it slower</text>`+"\n", a.x(math.Pow(10, (a.low+a.high)/2)), height-6)
	y := 0
	for _, s := range r.standings {
		y += groupHeight
		fmt.Fprintf(&out, `<text x="8" y="%d" font-weight="bold" fill="#111111">%s</text>`+"\n", y-8, escape(s.contest.key+": "+strings.ReplaceAll(s.contest.title, "`", "")))
		for _, b := range s.bars() {
			b.draw(&out, a, y)
			y += barPitch
		}
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// A bar is a contender's.
type bar struct {
	name  string
	aside bool
	of    ratio
}

// bars are those of a contest's contenders that have figures, without filch's own first.
func (s standing) bars() (bars []bar) {
	ours, ok := s.ours()
	for _, sc := range s.scores {
		if ok && len(sc.rounds) > 0 && sc.contender.name != ours.contender.name {
			bars = append(bars, bar{sc.contender.name, sc.contender.aside, timesFaster(sc, ours)})
		}
	}
	return bars
}

func (b bar) draw(out *bytes.Buffer, a axis, y int) {
	one, end := a.x(1), a.x(b.of.value)
	fill, name := "#4c78a8", b.name
	if b.of.value < 1 {
		fill = "#d1605e"
	}
	opacity := 1.0
	if b.aside {
		opacity, name = 0.45, "("+name+")"
	}
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="end" fill="#333333">%s</text>`+"\n", drawLeft-8, y+12, escape(name))
	fmt.Fprintf(out, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" fill-opacity="%.2f"/>`+"\n", min(one, end), y, math.Abs(end-one), barHeight, fill, opacity)
	fmt.Fprintf(out, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%[3]d" stroke="#111111"/>`+"\n", a.x(b.of.min), a.x(b.of.max), y+barHeight/2)
	fmt.Fprintf(out, `<text x="%.1f" y="%d" fill="#111111">%.2f</text>`+"\n", max(one, end, a.x(b.of.max))+5, y+12, b.of.value)
}

// escape makes text fit for XML.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
