package core

import "time"

// SealLen is what sealing adds to a datagram, in bytes: a nonce of 12 and an
// authentication tag of 16, as AES-GCM and ChaCha20-Poly1305 have them.
const SealLen = 28

// A NewsLoad is a steady state of a cluster, for which NewsCost says what news
// costs.
type NewsLoad struct {
	Members  int           // present, the node itself included
	Surplus  int           // members that have surplus
	Settled  int           // members that had until a short while ago
	Starved  int           // members that are starved
	Interval time.Duration // between turns: NewsInterval or QuietInterval
	Urgent   float64       // urgent datagrams per second and node, at most 1/UrgentEvery in the long run
}

// NewsCost is the model of what news costs: bytes per second and node, sent and
// received, sealed, without the headers of UDP and IP. It counts what a node that
// knows everything would send. Members enters only as the most that there can
// be of each kind, so the line over Members is flat from a handful on.
func NewsCost(l NewsLoad) float64 {
	others := max(l.Members-2, 0) // not the sender, which has its own entry, and not who is told
	entries := 1 + min(tellSurplus, l.Surplus, others) + min(tellSettled, l.Settled, others) + min(tellStarved, l.Starved, others)
	size := float64(SealLen + newsHeaderLen + entries*entryLen)
	return 2 * size * (1/l.Interval.Seconds() + l.Urgent)
}

// IdleCost is NewsCost of a cluster that has nothing to do.
func IdleCost(members int) float64 {
	return NewsCost(NewsLoad{Members: members, Starved: members, Interval: QuietInterval})
}

// MostCost bounds NewsCost at any size and under any load.
func MostCost() float64 {
	return NewsCost(NewsLoad{
		Members: MaxMembers, Surplus: MaxMembers, Settled: MaxMembers, Starved: MaxMembers,
		Interval: NewsInterval * (100 - newsJitter) / 100, Urgent: 1 / UrgentEvery.Seconds(),
	})
}
