package main

func umask() *int { return nil }
