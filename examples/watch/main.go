// Watch explains each bind to a port that the kernel refuses, to any program of this machine
// in any language, at the moment of the refusal:
//
//	watch [-cgroup FOLDER] [-json] [-otlp] [-every DURATION] [-record FOLDER]
//
// It prints the report that package guard would have printed in that program: the cause, the
// evidence, and fixes to paste. What decides is taken from the kernel in the same instant, so
// that a program which ends at once, as most do, is explained too. The rest is read from
// /proc if the process is still there.
//
// It hears bind(2) and listen(2) of TCP, MPTCP and UDP sockets. It does not hear a socket(2)
// that is refused, the calls of 32-bit programs on a 64-bit kernel, io_uring, or a program
// that a filter kills.
//
// A situation that comes again, as in a unit that is restarted, is counted and not
// reported again; -every says how often the count is printed. Under systemd each line has a
// priority for the journal. With -otlp each report is also sent as an OpenTelemetry log record, to
// the collector that OTEL_EXPORTER_OTLP_ENDPOINT names.
//
// It takes CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, of the initial user namespace, and a
// kernel since 5.8 that describes its types (/sys/kernel/btf/vmlinux). What is missing it
// says in one line, and exits 77. To read other users' processes it takes CAP_SYS_PTRACE and
// CAP_DAC_READ_SEARCH; to look into other network namespaces CAP_SYS_ADMIN.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lowport/lowport/internal/exit"
	"github.com/lowport/lowport/internal/term"
)

func main() { os.Exit(run()) }

// settings are what the flags say.
type settings struct {
	cgroup string
	json   bool
	otlp   bool
	record string
	every  time.Duration
}

// where says what is watched.
func (s settings) where() string {
	if s.cgroup != "" {
		return "in " + term.Show(s.cgroup)
	}
	return "on this machine"
}

// ready tells systemd that the watch hears, see sd_notify(3).
func ready(socket string) error {
	if socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte("READY=1"))
	return errors.Join(err, conn.Close())
}

func run() int {
	var s settings
	flag.StringVar(&s.cgroup, "cgroup", "", "watch one cgroup and those below it, by its `folder` in /sys/fs/cgroup")
	flag.BoolVar(&s.json, "json", false, "print one JSON object a line")
	flag.BoolVar(&s.otlp, "otlp", false, "also send OpenTelemetry log records, to where OTEL_EXPORTER_OTLP_ENDPOINT says")
	flag.StringVar(&s.record, "record", "", "leave a recording of each report in a `folder`, for doctor -replay")
	flag.DurationVar(&s.every, "every", time.Minute, "say so often how many times a report came again; 0: report it again each time")
	flag.Parse()
	if flag.NArg() > 0 || s.every < 0 {
		flag.Usage()
		return exit.Usage
	}
	w, err := open(s)
	var missing *missingError
	switch {
	case errors.As(err, &missing):
		fmt.Fprintln(os.Stderr, "watch:", err)
		return exit.NoPerm
	case err != nil:
		fmt.Fprintln(os.Stderr, "watch:", err)
		return exit.Unavailable
	}
	if err := keepNeeded(); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		return exit.Unavailable
	}
	fmt.Fprintln(os.Stderr, "watch: hearing what is refused "+s.where())
	if err := ready(os.Getenv("NOTIFY_SOCKET")); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		return exit.Unavailable
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		w.stop()
	}()
	out := newOutput(os.Stdout, s.json)
	out.record = s.record
	if s.otlp {
		logs, flush, err := openLogs()
		if err != nil {
			fmt.Fprintln(os.Stderr, "watch:", err)
			return exit.Unavailable
		}
		defer flush()
		out.logs = logs
	}
	if err := w.run(out, s.every); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		return exit.Unavailable
	}
	return 0
}
