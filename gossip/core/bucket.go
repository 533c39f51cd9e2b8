package core

import "time"

// A bucket holds tokens up to a burst and gains one in a given time.
type bucket struct {
	tokens int
	at     time.Duration // until when what was gained is counted
}

// take takes a token if there is one.
func (b *bucket) take(now, every time.Duration, burst int) bool {
	gained := int((now - b.at) / every)
	b.at += time.Duration(gained) * every
	b.tokens = min(b.tokens+gained, burst)
	if b.tokens <= 0 {
		return false
	}
	b.tokens--
	return true
}
