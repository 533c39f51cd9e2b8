package steal

import "time"

// Limits of the driver.
const (
	// maxUndealt is how many bytes of frames of one stream may wait for the loop.
	maxUndealt = 4 << 20
	// maxQueued is how many bytes may wait to be written to one peer. A peer that lets
	// more pile up does not read: its channel is closed and begins anew.
	maxQueued = 8 << 20
	// maxInline is how many bytes of header and bodies go along with one grant.
	maxInline = 32 << 10
	// maxBody is the longest body of a task.
	maxBody = 16 << 20
	// maxAnswer is about how many bytes of bodies answer one fetch.
	maxAnswer = 512 << 10
	// maxBodies is how many bytes of bodies are kept; the oldest are fetched anew if need be.
	maxBodies = 64 << 20
	// maxHeaders is how many headers are kept.
	maxHeaders = 4096
	// maxValues is how many bytes the values of one outcome may have in a report; longer
	// ones travel as outputs.
	maxValues = 16 << 10
	// maxOutputs is how many bytes of outputs are kept, in memory and in files.
	maxOutputs = 4 << 30
	// spillAfter is how long an output stays in memory.
	spillAfter = 64 << 10

	// dialPatience bounds the opening of a stream. The core gives a channel up that is
	// silent for 3 s, so longer makes no sense.
	dialPatience = 5 * time.Second
	// prefacePatience is how long a peer may take to say what its stream is.
	prefacePatience = 10 * time.Second
	// feedPatience is how long a peer may be silent on a data stream while it owes an answer: at
	// 256 KiB for each sign of life, enough for 20 KB/s.
	feedPatience = 12 * time.Second
	// fetchPatience is how long a fetch may go unanswered.
	fetchPatience = 5 * time.Second
	// headerLasts is how long the header of a job is kept of which nothing is held, at least;
	// twice that at most.
	headerLasts = time.Minute
	// fetchTries is how often a body is asked for at one peer.
	fetchTries = 3
	// fetchAgain is after how long at first.
	fetchAgain = 100 * time.Millisecond
	// feedIdle is how long a data stream stays open that nobody uses.
	feedIdle = 30 * time.Second
	// starving is how long a timer that is due waits for the mailbox to be empty.
	starving = 5 * time.Millisecond
)

// Protocols of streams.
const (
	controlProtocol = "/filch/control/1"
	dataProtocol    = "/filch/data/1"
)
