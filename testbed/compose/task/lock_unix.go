//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
)

// lock takes a lock until the process ends, and tells whether nobody had it.
func lock(path string) (alone bool, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, err
	}
	held = f
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// held keeps the file from being closed.
var held *os.File
