package wire

import (
	"errors"

	"github.com/filchsched/filch/steal/core"
)

// AppendSplit appends a frame as one record or, when it would be longer than a control
// stream allows, as several frames that say the same. next numbers them: it is asked for the
// Seq of each in turn. What cannot be split and is too long is an error, and b is as
// it was.
//
// Parts of a grant stay one grant: all frames but the last have More.
func (e *Encoder) AppendSplit(b []byte, f core.Frame, next func() uint64) ([]byte, error) {
	at := len(b)
	f.Seq = next()
	b, err := e.Append(b, Frame{Frame: f}, MaxControl)
	if long := (*TooLong)(nil); !errors.As(err, &long) {
		return b, err
	}
	var records []Frame
	if err := e.split(Frame{Frame: f}, &records); err != nil {
		return b, err
	}
	for k, r := range records {
		if k > 0 && !records[k-1].More { // the frames of one grant have one number, as it is one to core
			r.Seq = next()
		} else if k > 0 {
			r.Seq = records[k-1].Seq
		}
		records[k].Seq = r.Seq
		if b, err = e.Append(b, r, MaxControl); err != nil {
			return b[:at], err
		}
	}
	return b, nil
}

// split collects the halves of a frame that are short enough. The length of the
// number is part of a frame's; whoever is near the limit is split.
func (e *Encoder) split(f Frame, out *[]Frame) error {
	var err error
	e.probe, err = e.Append(e.probe[:0], f, MaxControl-8)
	if err == nil {
		*out = append(*out, f)
		return nil
	}
	if long := (*TooLong)(nil); !errors.As(err, &long) {
		return err
	}
	first, second := halve(f.Msg)
	if first == nil {
		return err
	}
	low, high := f, f
	low.Msg, high.Msg = first, second
	if _, grant := first.(core.Grant); grant {
		low.More = true
	}
	if err := e.split(low, out); err != nil {
		return err
	}
	return e.split(high, out)
}

// halve makes two messages of one; nil when there is no telling how.
func halve(m core.Message) (first, second core.Message) {
	switch m := m.(type) {
	case core.Hello:
		if n := len(m.Claims) / 2; n > 0 {
			return core.Hello{Claims: m.Claims[:n], More: true}, core.Page{Claims: m.Claims[n:], More: m.More}
		}
	case core.Beat:
		if n := len(m.Claims) / 2; n > 0 {
			rest := core.Page{Claims: m.Claims[n:], More: m.More}
			m.Claims, m.More = m.Claims[:n], true
			return m, rest
		}
	case core.Page:
		if n := len(m.Claims) / 2; n > 0 {
			return core.Page{Claims: m.Claims[:n], More: true}, core.Page{Claims: m.Claims[n:], More: m.More}
		}
	case core.Report:
		if n, k := len(m.Outcomes)/2, len(m.Ends)/2; n+k > 0 {
			return core.Report{Outcomes: m.Outcomes[:n], Ends: m.Ends[:k]}, core.Report{Outcomes: m.Outcomes[n:], Ends: m.Ends[k:]}
		} else if len(m.Outcomes) > 0 && len(m.Ends) > 0 {
			return core.Report{Outcomes: m.Outcomes}, core.Report{Ends: m.Ends}
		}
	case core.Grant:
		if n := len(m.Parts) / 2; n > 0 {
			rest := m
			m.Parts, rest.Parts = m.Parts[:n], m.Parts[n:]
			return m, rest
		}
	case core.Drop:
		if n := len(m.Pieces) / 2; n > 0 {
			return core.Drop{Pieces: m.Pieces[:n]}, core.Drop{Pieces: m.Pieces[n:]}
		}
	case core.Gone:
		if n := len(m.Pieces) / 2; n > 0 {
			return core.Gone{Pieces: m.Pieces[:n]}, core.Gone{Pieces: m.Pieces[n:]}
		}
	case core.Recorded:
		if n := len(m.Pieces) / 2; n > 0 {
			return core.Recorded{Pieces: m.Pieces[:n]}, core.Recorded{Pieces: m.Pieces[n:]}
		}
	case core.Recall:
		if n := len(m.Pieces) / 2; n > 0 {
			return core.Recall{Pieces: m.Pieces[:n]}, core.Recall{Pieces: m.Pieces[n:]}
		}
	}
	return nil, nil
}
