// Package units draws random systemd services, asks a preflight what will happen, starts
// them under the real systemd and compares.
//
//	go run ./internal/lab/units/roll -n 1000 -seed 7
//
// Nothing is expected by hand: systemd and the kernel are the judges. A draw is wrong if the
// preflight promised a bind that did not come (a false pass), refused one that came (a
// false refusal), or told another story than the program or systemd did. "Could not tell"
// is counted.
package units
