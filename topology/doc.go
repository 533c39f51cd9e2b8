// Package topology describes one machine, and how far apart any two places are.
package topology
