// Package decide tries the model of package steal/cost in a world whose truth is known: a node and its peers, of different
// speed, queue, round trip and bandwidth, all of which drift. It is pure and seeded.
//
// # The world
//
// A node has ten peers. The speeds of all are from half to four times the usual one, round trips are from
// 0.2 to 20 ms, and lines make from 5 to 100 MB/s. A task takes 100 ms on a usual core for 100 kB, and as much more or less as its
// input is longer or shorter (10 kB to 1 MB); single times vary by a fifth. What a peer has in its queue wanders around 40 ms of
// waiting, with a memory of five minutes.
//
// At drift 1, each peer's speed, round trip and bandwidth wander by 2 % in a minute, and each of them jumps once in half an hour,
// by half or double, typically: something jumps each minute. At drift d all of that, the queues included, goes d times as fast.
//
// # What the model sees
//
// News of a queue every second or so, and then a second old. The round trip as it is, give or take a tenth, as heartbeats tell it. The time
// a task ran and the pace of what was carried, where one was sent. Besides, each peer runs one task of the function every
// ten seconds, as stealing brings about: without any the model would know of a peer that became quick only by its own trials.
//
// # What is counted
//
// First every peer has 50 samples. Then there is a decision a second. The truth is, for each candidate, the median of its total by the
// true state at that moment. A decision is right if its candidate's total is within a tenth of the best one's. Regret is how
// much longer the chosen takes than the best, over all decisions, as a share. The rivals decide in the same worlds at the same moments.
package decide
