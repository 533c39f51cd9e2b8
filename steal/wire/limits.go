package wire

// Limits of what is read; the writer keeps to them, too.
const (
	// MaxControl is the longest record of a control stream: a heartbeat waits behind at
	// most so much.
	MaxControl = 64 << 10
	// MaxData is the longest record of a data stream.
	MaxData = 1 << 20
	// MaxChunk is the longest part of an output in one record. It is well below MaxData so that small
	// things on the same stream do not wait for long.
	MaxChunk = 256 << 10

	maxDepth   = 16
	maxName    = 256  // of a peer, label, kind, function
	maxText    = 1024 // of a reason; longer ones are cut when they are written
	maxPath    = 4096
	maxClaims  = 4096 // in one frame; core sends 500
	maxParts   = 1024 // core sends 256
	maxReports = 1024 // outcomes or ends; core sends 256
	maxLanes   = 4096
	maxValues  = 4096 // of one outcome; core starts 64 tasks together
	maxLabels  = 256
	maxPeers   = 1024 // that a job names
	maxHashes  = 8192 // functions
	maxBodies  = 8192
	maxBack    = 16   // how far back a writer looks for a peer that it wrote before
	maxNames   = 4096 // that a reader keeps interned
)
