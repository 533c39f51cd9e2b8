package node

import "io/fs"

// owner is not looked at here: Windows keeps permissions elsewhere.
func owner(fs.FileInfo) (uid uint32, mine bool) { return 0, true }
