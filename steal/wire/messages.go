package wire

import (
	"github.com/filchsched/filch/steal/core"
)

// Tags of records. Those below 64 are messages of core. They are never given a new meaning.
const (
	tagHello = iota + 1
	tagBeat
	tagPage
	tagReport
	tagStartAsk
	tagOffer
	tagWithdraw
	tagProof
	tagAck
	tagGrant
	tagDrop
	tagGone
	tagRecorded
	tagStartOK
	tagRecall
	tagRefused
	tagNoWork
	tagNews
	tagChallenge
	tagInvite
)

// write writes a message's tag and then the frame around it.
func (c *coder) write(f *Frame) {
	switch m := f.Msg.(type) {
	case core.Hello:
		c.frame(tagHello, f, func() { c.claims(&m.Claims); c.bool(&m.More) }, 2)
	case core.Beat:
		c.frame(tagBeat, f, func() { c.beat(&m) }, beatFields)
	case core.Page:
		c.frame(tagPage, f, func() { c.claims(&m.Claims); c.bool(&m.More) }, 2)
	case core.Report:
		c.frame(tagReport, f, func() { c.report(&m) }, 2)
	case core.StartAsk:
		c.frame(tagStartAsk, f, func() { c.piece(&m.Piece) }, 1)
	case core.Offer:
		c.frame(tagOffer, f, func() { c.offer(&m) }, offerFields)
	case core.Withdraw:
		c.frame(tagWithdraw, f, func() { c.u64(&m.N) }, 1)
	case core.Proof:
		c.frame(tagProof, f, func() { c.proof(&m) }, proofFields)
	case core.Ack:
		c.frame(tagAck, f, func() { c.ack(&m) }, ackFields)
	case core.Grant:
		c.frame(tagGrant, f, func() { c.grant(&m) }, grantFields)
	case core.Drop:
		c.frame(tagDrop, f, func() { c.pieces(&m.Pieces) }, 1)
	case core.Gone:
		c.frame(tagGone, f, func() { c.pieces(&m.Pieces) }, 1)
	case core.Recorded:
		c.frame(tagRecorded, f, func() { c.pieces(&m.Pieces) }, 1)
	case core.StartOK:
		c.frame(tagStartOK, f, func() { c.piece(&m.Piece) }, 1)
	case core.Recall:
		c.frame(tagRecall, f, func() { c.pieces(&m.Pieces) }, 1)
	case core.Refused:
		c.frame(tagRefused, f, func() {}, 0)
	case core.NoWork:
		c.frame(tagNoWork, f, func() { c.noWork(&m) }, noWorkFields)
	case core.News:
		c.frame(tagNews, f, func() { c.news(&m) }, newsFields)
	case core.Challenge:
		c.frame(tagChallenge, f, func() { c.challenge(&m) }, challengeFields)
	case core.Invite:
		c.frame(tagInvite, f, func() { c.duration(&m.Surplus) }, 1)
	default:
		c.failf("no encoding for %T", m)
	}
}

// read reads the message behind a tag; ok is false when the tag is not one of a message.
func (c *coder) read(tag uint64, f *Frame) (ok bool) {
	switch tag {
	case tagHello:
		var m core.Hello
		c.frame(tag, f, func() { c.claims(&m.Claims); c.bool(&m.More) }, 2)
		f.Msg = m
	case tagBeat:
		var m core.Beat
		c.frame(tag, f, func() { c.beat(&m) }, beatFields)
		f.Msg = m
	case tagPage:
		var m core.Page
		c.frame(tag, f, func() { c.claims(&m.Claims); c.bool(&m.More) }, 2)
		f.Msg = m
	case tagReport:
		var m core.Report
		c.frame(tag, f, func() { c.report(&m) }, 2)
		f.Msg = m
	case tagStartAsk:
		var m core.StartAsk
		c.frame(tag, f, func() { c.piece(&m.Piece) }, 1)
		f.Msg = m
	case tagOffer:
		var m core.Offer
		c.frame(tag, f, func() { c.offer(&m) }, offerFields)
		f.Msg = m
	case tagWithdraw:
		var m core.Withdraw
		c.frame(tag, f, func() { c.u64(&m.N) }, 1)
		f.Msg = m
	case tagProof:
		var m core.Proof
		c.frame(tag, f, func() { c.proof(&m) }, proofFields)
		f.Msg = m
	default:
		return c.readDown(tag, f)
	}
	return true
}

func (c *coder) readDown(tag uint64, f *Frame) (ok bool) {
	switch tag {
	case tagAck:
		var m core.Ack
		c.frame(tag, f, func() { c.ack(&m) }, ackFields)
		f.Msg = m
	case tagGrant:
		var m core.Grant
		c.frame(tag, f, func() { c.grant(&m) }, grantFields)
		f.Msg = m
	case tagDrop:
		var m core.Drop
		c.frame(tag, f, func() { c.pieces(&m.Pieces) }, 1)
		f.Msg = m
	case tagGone:
		var m core.Gone
		c.frame(tag, f, func() { c.pieces(&m.Pieces) }, 1)
		f.Msg = m
	case tagRecorded:
		var m core.Recorded
		c.frame(tag, f, func() { c.pieces(&m.Pieces) }, 1)
		f.Msg = m
	case tagStartOK:
		var m core.StartOK
		c.frame(tag, f, func() { c.piece(&m.Piece) }, 1)
		f.Msg = m
	case tagRecall:
		var m core.Recall
		c.frame(tag, f, func() { c.pieces(&m.Pieces) }, 1)
		f.Msg = m
	case tagRefused:
		c.frame(tag, f, func() {}, 0)
		f.Msg = core.Refused{}
	case tagNoWork:
		var m core.NoWork
		c.frame(tag, f, func() { c.noWork(&m) }, noWorkFields)
		f.Msg = m
	case tagNews:
		var m core.News
		c.frame(tag, f, func() { c.news(&m) }, newsFields)
		f.Msg = m
	case tagChallenge:
		var m core.Challenge
		c.frame(tag, f, func() { c.challenge(&m) }, challengeFields)
		f.Msg = m
	case tagInvite:
		var m core.Invite
		c.frame(tag, f, func() { c.duration(&m.Surplus) }, 1)
		f.Msg = m
	default:
		return false
	}
	return true
}

// frame writes or reads what surrounds a message: [tag, incarnation, session, epoch,
// number, data, more, outputs, message].
func (c *coder) frame(tag uint64, f *Frame, message func(), fields int) {
	x := 0
	if !c.reading { // the reader had to read so far to know the tag
		c.open(frameFields)
		c.u64(&tag)
	} else {
		x = c.extra
	}
	c.u64(&f.Inc)
	c.u32(&f.Session)
	c.u64(&f.Epoch)
	c.u64(&f.Seq)
	c.bool(&f.Data)
	c.bool(&f.More)
	c.u32(&f.Outputs)
	y := c.open(fields)
	message()
	c.close(y)
	c.close(x)
}

const (
	frameFields     = 9
	beatFields      = 6
	offerFields     = 10
	proofFields     = 4
	ackFields       = 3
	grantFields     = 6
	noWorkFields    = 3
	newsFields      = 4
	challengeFields = 4
)

func (c *coder) beat(m *core.Beat) {
	c.u64(&m.N)
	c.u64(&m.Applied)
	c.u64(&m.Digest)
	c.bool(&m.Full)
	c.claims(&m.Claims)
	c.bool(&m.More)
}

func (c *coder) report(m *core.Report) {
	list(c, &m.Outcomes, maxReports, leastOutcome, (*coder).outcome)
	list(c, &m.Ends, maxReports, leastEnd, (*coder).end)
}

func (c *coder) offer(m *core.Offer) {
	c.u64(&m.N)
	c.bool(&m.Standing)
	c.i32(&m.Cores)
	c.u32(&m.Tasks)
	c.duration(&m.Time)
	c.i64(&m.Memory)
	list(c, &m.Kinds, maxLabels, 1, (*coder).kind)
	list(c, &m.Labels, maxLabels, 1, (*coder).name)
	list(c, &m.Functions, maxHashes, 1, (*coder).u32)
	c.duration(&m.Waiting)
}

func (c *coder) proof(m *core.Proof) {
	c.job(&m.Job)
	c.fixed(m.MAC[:])
	c.text(&m.Refused, maxText)
}

func (c *coder) ack(m *core.Ack) {
	c.u64(&m.Beat)
	c.lanes(&m.Lanes)
	c.bool(&m.Sync)
}

func (c *coder) grant(m *core.Grant) {
	c.u64(&m.N)
	c.u64(&m.Offer)
	c.parts(&m.Parts) // two fields: jobs and parts
	c.lanes(&m.Lanes)
	c.duration(&m.Rest)
}

func (c *coder) noWork(m *core.NoWork) {
	c.u64(&m.Offer)
	c.text(&m.Reason, maxText)
	list(c, &m.Ask, maxPeers, 1, (*coder).peer)
}

func (c *coder) news(m *core.News) {
	c.peer(&m.Source)
	c.u64(&m.Event)
	c.u8(&m.Hops)
	c.duration(&m.Rest)
}

func (c *coder) challenge(m *core.Challenge) {
	c.job(&m.Job)
	c.path(&m.Path)
	c.name(&m.File)
}
