// Package deque holds the two structures that workers steal from: the Deque of
// spawned tasks, and the Span, the run of a bag's tasks that a worker is going
// through. In both one owner works at one end without waiting for anybody, and
// thieves take from the other end.
//
// # The deque
//
// It is the deque of Chase and Lev (Dynamic Circular Work-Stealing Deque, SPAA
// 2005), with a ring that does not grow and slots that are handed back. top is
// the next index to steal and only grows; bottom is where the owner's end is, as
// far as thieves know. An index i is in slot i modulo Capacity.
//
//	thieves → top            bottom ← owner
//	          [ oldest … newest ]
//
// Who takes an element? As long as two or more are there, the owner's and the
// thieves' are different ones. The last one is the point of the design:
//
//   - Pop lowers bottom first and loads top afterwards. Steal loads top first,
//     and bottom afterwards. If Pop sees top below its index b, then a thief
//     who could take b would have to load top = b later than that, and bottom
//     later still; but by then bottom is b, which reads as empty.
//   - If Pop sees top = b, the owner competes for the last element as thieves
//     do, with a compare-and-swap on top. One of them wins.
//
// Both are store-then-load against load-then-load, so both need sequential
// consistency; Lê, Pop, Cohen and Zappa Nardelli (Correct and Efficient
// Work-Stealing for Weak Memory Models, PPoPP 2013) find where the fences go
// if one has to place them. In Go each operation of sync/atomic has it.
//
// After the last element is gone, taken by either, the next index is b+1, and
// bottom is left at b. Both b and b+1 read as empty, since top is b+1, and
// the next Push stores bottom anyway. That saves a store on the path of a spawn
// that is joined at once, which is nearly all of them: one locked instruction
// for Push and one for Pop, and one more for the last element.
//
// # Why a slot is handed back
//
// Chase and Lev read the element before the compare-and-swap that claims it,
// and throw it away if that fails. By then the owner may have come around the
// ring and be writing to the same slot: a harmless race in C with the right
// atomics, and a data race in Go, in which every such store would have to
// be atomic. So here a thief claims first and reads afterwards, and it then stores
// nil into the slot; the owner, who uses the slot next, loads it and takes nil
// for "yours again". That is how the ring of sync.Pool does it (sync/poolqueue.go). The
// owner's stores stay plain: they are published by bottom, and nobody but the
// owner touches a slot between the nil and the next claim.
//
// The price: between claim and nil the slot counts as used, so that a thief
// who is preempted there makes one slot look full, once per lap. Push then
// fails, and the task runs inline. Nothing waits.
//
// # One element and no other
//
// Who wants to think before it steals asks Oldest, and comes back with StealAt. The
// owner may push and pop an index again and again, with another element each time; but
// once an index is the oldest, its element leaves by a step of top only, and
// top never comes back. So the index names the element, and StealAt takes either that
// one, by the same compare-and-swap as Steal, or nothing.
//
// # The span
//
// A worker that takes a piece of a bag takes up to 65,535 tasks, which the
// others want to share when they run dry. Moving them into a deque one by one would cost
// a push and a pop each. A Span is two ends and a generation in one word,
// so that taking one (the owner, from below) or half (a thief, from above) is one
// compare-and-swap. The owner opens it on one body after the other; a thief
// that has looked at the word before, and comes back late, fails because the generation
// has moved on, even if the ends happen to be the same again. It has 32 bits:
// a thief would have to sleep through four billion bodies of one worker.
// Body and base are loaded before the compare-and-swap and are right if it succeeds,
// because they change only between generations.
//
// # What holds
//
//   - Each element is taken exactly once, by Pop or Steal, and none is invented.
//   - The owner gets the newest element there is, thieves the oldest.
//   - Push fails only if Capacity elements are there, or the thief of the one
//     that was in the slot has not handed it back.
//   - Pop and Steal say that nothing is there only if at some moment of the call
//     nothing was; every history of calls is linearizable.
//   - An empty deque holds no pointers, so that what was taken can be collected.
//
// Tests under the build tag "stepper" check these in every interleaving of the
// atomic steps for some thousand small programs (make test); testbed/plant
// shows that they would notice.
//
// # Rejected
//
//   - A ring that grows. A spawn that finds no room runs inline, which loses
//     nothing but the chance to be stolen, and there are a thousand others.
//   - Both ends in one word, as in sync/poolqueue.go and tokio. It costs about the
//     same while nobody steals; but then Push and Pop are compare-and-swaps on the
//     very word that thieves write, and each attempt to steal holds up the owner.
//   - Stealing half from a Deque. Spawned tasks are large at the old end: one is
//     enough, and taking several at once needs a second claim (tokio's two
//     heads) or a loop of claims.
//   - A private deque whose owner answers requests (Acar, Charguéraud and
//     Rainey 2013). No locked instruction at all, but a thief waits until the
//     owner spawns or joins next, which may be never in a long task, and an owner
//     that is blocked cannot answer; suspended deques must stay stealable.
//   - Handles of 32 bits instead of pointers, so that slots could be packed: the
//     same cost, and a table beside it.
package deque
