//go:build !unix

package main

import "errors"

func lock(string) (bool, error) { return false, errors.ErrUnsupported }
