package proc

func openFiles() int64 { return 0 }
