// Run starts one program with exactly the given privileges, with the flags of
// setpriv(1):
//
//	run --reuid=app --regid=app --init-groups \
//	    --inh-caps=+net_bind_service --ambient-caps=+net_bind_service \
//	    --bounding-set=-all,+net_bind_service --no-new-privs -- python3 server.py
//
// What no flag names stays as it is. It differs from setpriv where that gives
// something other than what was asked: an ambient capability that is not
// inheritable is an error, and the program must be one that the new user may
// execute.
package main

import (
	"errors"
	"flag"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/lowport/lowport/caps/drop"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("run: ")
	child, command, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		log.Print(err)
		os.Exit(64) // EX_USAGE
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr

	// A terminal sends an interrupt and a quit to the program as well; the rest is
	// for us to hand on. What nohup(1) ignores stays so, for the program too.
	signals := make(chan os.Signal, 8)
	for _, s := range append(users, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP) {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	if err := drop.Start(cmd, child); err != nil {
		log.Print(err)
		os.Exit(127) // as setpriv
	}
	go func() {
		for s := range signals {
			if s != os.Interrupt && s != syscall.SIGQUIT {
				cmd.Process.Signal(s)
			}
		}
	}()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		log.Fatal(err)
	}
	os.Exit(status(cmd.ProcessState))
}

// status is the exit status of the program, or what a shell makes of a signal.
func status(p *os.ProcessState) int {
	if w, ok := p.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return p.ExitCode()
}
