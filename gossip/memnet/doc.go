// Package memnet is a network in memory: a transport.Network for each of many nodes in
// one process, with latency, loss, cuts in one direction or both, crashes, and counts of
// every byte of payload sent and received.
//
// It has no goroutines of its own and waits on nothing but timers, channels and contexts,
// so it runs in a testing/synctest bubble, where hours pass in seconds. Outside of one it
// runs in real time.
//
// # What it models
//
// A packet arrives after the latency of its path, or never: if it is lost, if the path is
// cut when it is sent or when it arrives, or if the receiver has crashed or closed.
//
// A stream delivers in order, after the latency; what would be lost is late by a
// retransmission time instead (200 ms, or 1 s when it is opened). Where a path is cut the bytes go nowhere, and the stream
// is dead from then on: nobody is told, reads wait for their deadline. Opening a stream
// takes a round trip; towards a crashed or cut off node it takes until the context is
// done, towards a closed one it fails after a round trip. There is no bandwidth: bytes
// are counted, not delayed.
//
// Crash is the loss of power: nobody hears of it. Close is the end of a process whose
// kernel lives: streams are reset.
//
// Counts are payload as the Network's user hands it over; what UDP, QUIC or TLS would add
// is not in them.
package memnet
