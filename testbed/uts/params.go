package uts

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Type says which law the number of children follows (-t).
type Type int

// The types of trees.
const (
	Binomial  Type = 0 // m children with probability q, else none
	Geometric Type = 1 // geometric, with a mean that the Shape gives
	Hybrid    Type = 2 // Geometric above depth f·d, Binomial below
)

// A Shape says how the mean of a Geometric tree changes with depth (-a).
type Shape int

// The shapes of Geometric trees.
const (
	Linear Shape = 0 // falls linearly, to 0 at depth d
	ExpDec Shape = 1 // falls as a power of the depth, to 1 at depth d
	Cyclic Shape = 2 // swings with period d, ends below 5·d
	Fixed  Shape = 3 // b above depth d, then 0
)

// Limits on parameters. They bound what a Tree precomputes and keep a depth
// within an int32; every published tree is far inside.
const (
	maxRootChildren = 1 << 30 // of a Binomial root
	maxDepth        = 1 << 20 // d
)

// Params are the parameters of a tree, named by the flags of the reference
// program.
type Params struct {
	Type  Type    // -t
	Shape Shape   // -a, of Geometric and Hybrid trees
	D     int     // -d, the depth that Shape refers to
	B     float64 // -b, children of the root (a mean where it is drawn)
	Seed  uint32  // -r, below 2^31
	Q     float64 // -q, probability that a Binomial node has children
	M     int     // -m, how many it then has
	F     float64 // -f, a Hybrid tree is Geometric above depth F·D
}

// Defaults returns what the reference program assumes for flags not given.
func Defaults() Params {
	return Params{Type: Geometric, Shape: Linear, D: 6, B: 4, Q: 15.0 / 64, M: 4, F: 0.5}
}

// ParseParams reads flags as the reference program takes them, with or without
// a space before the value: "-t1 -a 3 -d10 -b4 -r19". It starts from Defaults;
// the name of a published tree ("T1") in place of flags stands for its flags.
func ParseParams(s string) (Params, error) {
	if tree, ok := Published(strings.TrimSpace(s)); ok {
		s = tree.Flags
	}
	p := Defaults()
	fields := strings.Fields(s)
	for i := 0; i < len(fields); i++ {
		field := fields[i]
		if len(field) < 2 || field[0] != '-' {
			return Params{}, fmt.Errorf("uts: %q is neither a flag (-t -a -d -b -r -q -m -f) nor a published tree (%s)", field, publishedNames())
		}
		flag, value := field[1], field[2:]
		if value == "" {
			if i++; i == len(fields) {
				return Params{}, fmt.Errorf("uts: -%c needs a value", flag)
			}
			value = fields[i]
		}
		if err := p.set(flag, value); err != nil {
			return Params{}, fmt.Errorf("uts: -%c %s: %w", flag, value, err)
		}
	}
	return p, p.Validate()
}

func (p *Params) set(flag byte, value string) error {
	var err error
	switch flag {
	case 't':
		err = parseInt(value, (*int)(&p.Type))
	case 'a':
		err = parseInt(value, (*int)(&p.Shape))
	case 'd':
		err = parseInt(value, &p.D)
	case 'm':
		err = parseInt(value, &p.M)
	case 'r':
		var seed uint64
		seed, err = strconv.ParseUint(value, 10, 31)
		p.Seed = uint32(seed)
	case 'b':
		p.B, err = strconv.ParseFloat(value, 64)
	case 'q':
		p.Q, err = strconv.ParseFloat(value, 64)
	case 'f':
		p.F, err = strconv.ParseFloat(value, 64)
	default:
		return errors.New("unknown flag; known are -t -a -d -b -r -q -m -f")
	}
	return err
}

func parseInt(s string, to *int) error {
	n, err := strconv.Atoi(s)
	*to = n
	return err
}

// Validate says what is wrong with p, if anything. It does not refuse trees that
// promise to be endless (m·q > 1, say): a seed may still make them end, as that
// of the published T3L does, and patience is the caller's.
func (p Params) Validate() error {
	switch {
	case p.Type < Binomial || p.Type > Hybrid:
		return fmt.Errorf("uts: -t %d: want 0 (binomial), 1 (geometric) or 2 (hybrid)", p.Type)
	case p.Shape < Linear || p.Shape > Fixed:
		return fmt.Errorf("uts: -a %d: want 0 (linear), 1 (expdec), 2 (cyclic) or 3 (fixed)", p.Shape)
	case p.D < 1 || p.D > maxDepth:
		return fmt.Errorf("uts: -d %d: want 1..%d", p.D, maxDepth)
	case !(p.B >= 0 && p.B <= maxRootChildren):
		return fmt.Errorf("uts: -b %v: want 0..%d", p.B, maxRootChildren)
	case p.Seed > math.MaxInt32:
		return fmt.Errorf("uts: -r %d: want 0..%d", p.Seed, math.MaxInt32)
	case !(p.Q >= 0 && p.Q <= 1):
		return fmt.Errorf("uts: -q %v: want 0..1", p.Q)
	case p.M < 0 || p.M > maxRootChildren:
		return fmt.Errorf("uts: -m %d: want 0..%d", p.M, maxRootChildren)
	case !(p.F >= 0 && p.F <= 1):
		return fmt.Errorf("uts: -f %v: want 0..1", p.F)
	}
	return nil
}

// String renders p as flags that ParseParams reads back.
func (p Params) String() string {
	return fmt.Sprintf("-t%d -a%d -d%d -b%v -r%d -q%v -m%d -f%v", p.Type, p.Shape, p.D, p.B, p.Seed, p.Q, p.M, p.F)
}
