package main

// filch starts itself once more, to be the supervisor of the commands. That it was
// started for this must be known before anything else happens, in a test binary too.
import _ "github.com/filchsched/filch/cmd/filch/firstinit"
