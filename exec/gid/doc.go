// Package gid tells goroutines apart. Go gives a goroutine no name on purpose;
// the engine needs one all the same: a task that forks may use its context from
// a goroutine of its own as well, which must not push onto a deque that it does
// not own. Asking costs a nanosecond or two, so that each spawn may ask.
//
// On amd64 and arm64 Current returns the address of the runtime's g, which the
// assembler names for everybody (a register or a slot of thread-local storage);
// nothing inside of it is read, and no symbol of the runtime is linked to. A g
// does not move. It is used again for another goroutine after its own has ended,
// so who keeps an identity clears it before the goroutine ends. Elsewhere Current reads
// the number in the head of the goroutine's stack trace, which takes microseconds.
//
// # Rejected
//
//   - go:linkname to the runtime's getg or goid: the linker refuses what the runtime
//     does not offer, and offsets inside of g change with each release.
//   - Labels of the profiler (runtime/pprof): goroutines inherit them, so a child
//     would pass for its parent.
package gid
