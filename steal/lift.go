package steal

import (
	"slices"

	"github.com/filchsched/filch/steal/core"
)

// lift takes outcomes with outputs out of a report and sends them, each behind its outputs, on the data
// stream. It returns the others.
func (l *loop) lift(e core.Send, outcomes []core.Outcome) []core.Outcome {
	if !e.Up || !l.outputs.any() {
		return outcomes
	}
	push := l.feeds[feedKey{e.To, feedPush}]
	for k := 0; k < len(outcomes); k++ {
		o := &outcomes[k]
		if push != nil && push.carries(o.Piece) {
			outcomes = slices.Delete(outcomes, k, k+1)
			k--
			continue
		}
		var all []sending
		for i := o.Lo; i < o.Hi; i++ {
			key := outputKey{o.Job, i, o.Attempt}
			for _, x := range l.outputs.borrow(key) {
				all = append(all, sending{key, x})
			}
		}
		if len(all) == 0 {
			continue
		}
		f := e.Frame
		f.Data, f.Seq = true, 1 // the receiver counts
		f.Msg = core.Report{Outcomes: []core.Outcome{*o}}
		l.feed(feedKey{e.To, feedPush}, parcel{piece: o.Piece, report: f, outputs: all})
		outcomes = slices.Delete(outcomes, k, k+1)
		k--
	}
	return outcomes
}
