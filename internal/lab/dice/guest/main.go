//go:build linux

// Guest is the program of a situation of the dice: guest [-json] FLAG... [ADDRESS]. It binds an
// address, or requires capabilities, and prints the report of a refusal, or as JSON any report.
// In a box it leaves what it was told in the folder of box.Said.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/guard/recording"
	"github.com/lowport/lowport/internal/lab/box"
	"github.com/lowport/lowport/internal/lab/dice"
	"github.com/lowport/lowport/privport"
)

var (
	tell    = flag.Bool("tell", false, "print all that is said, as JSON, instead of leaving it")
	asJSON  = flag.Bool("json", false, "print the report as JSON")
	before  = flag.String("before", "", "what it does before: capset, thread, drop, user")
	network = flag.String("network", "tcp", "tcp, tcp4, tcp6, udp, udp4 or udp6")
	mptcp   = flag.Bool("mptcp", true, "listen with Multipath TCP where the kernel has it")
	control = flag.String("control", "", "what it sets on the socket: transparent, mark, reuseport, file")
	predict = flag.String("predict", "", "predict what the `program` would be told, started from here")
	unit    = flag.String("unit", "", "predict what the program of this unit `file` would be told")
	user    = flag.String("user", "", "with -predict: the user it is started as")
	traced  = flag.Bool("traced", false, "wait for a tracer, which finds the process id in /run/wait/pid")
	need    caps.Set
)

func main() {
	flag.Var(&need, "require", "require `capabilities` instead of a port")
	flag.Parse()
	said, code := ask()
	switch {
	case *tell:
		if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
			os.Exit(74)
		}
		os.Exit(code)
	case said.Failed != "":
		fmt.Fprintln(os.Stderr, "guest:", said.Failed)
	case *asJSON:
		fmt.Printf("%s\n", said.Report)
	case code != 0:
		fmt.Print(said.Text)
	}
	err := leave(said)
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(74)
	}
	os.Exit(code)
}

// ask does what a server does at its start, and returns what it hears and its exit status.
func ask() (dice.Said, int) {
	if *traced && *predict == "" && *unit == "" {
		if err := awaitTracer(); err != nil {
			return dice.Said{Failed: err.Error()}, 70
		}
	}
	if err := letGo(*before); err != nil {
		return dice.Said{Failed: err.Error()}, 70
	}
	var r guard.Report
	var err error
	switch {
	case *predict != "" || *unit != "":
		r, err = foretell(preflight.Launch{Binary: *predict, User: *user, Unit: *unit})
	case need != 0:
		err = guard.Require(slices.Collect(need.All())...)
		r.OK = err == nil
	case brief():
		err = bind(&r)
		return dice.Said{Report: fmt.Appendf(nil, `{"ok": %v, "errno": %q}`, err == nil, r.Errno)}, exitCode(err)
	case foreign():
		err = guard.Explain(plainListen())
		r.OK = err == nil
	default:
		err = listen(&r)
	}
	var said dice.Said
	code := 0
	var refused *guard.Error
	switch {
	case errors.As(err, &refused):
		code, r, said.Line = refused.ExitCode(), refused.Report, refused.Error()
	case err != nil:
		return dice.Said{Failed: err.Error()}, 70
	}
	said.Text = r.String()
	said.Report, err = json.Marshal(r)
	if err != nil {
		return dice.Said{Failed: err.Error()}, 70
	}
	if need == 0 && !foreign() && *predict == "" && *unit == "" && (code == 77 || code == 69) {
		saved, err := recording.Make(addresses()[0], options(nil)...)
		if err != nil {
			return dice.Said{Failed: "record: " + err.Error()}, 70
		}
		said.Recording = string(saved)
	}
	return said, code
}

// addresses have the network before them, as BindAll takes them.
func addresses() (all []string) {
	for _, a := range flag.Args() {
		all = append(all, *network+"/"+a)
	}
	return all
}

func listen(r *guard.Report) error {
	sockets, err := guard.BindAll(context.Background(), addresses(), options(r)...)
	if err != nil {
		return err
	}
	return sockets.Close()
}

// foreign reports whether this is a box in which the program knows nothing of capabilities.
func foreign() bool {
	text, err := os.ReadFile(box.Explain)
	return err == nil && string(text) == dice.Foreign
}

// plainListen does what listen does, by package net.
func plainListen() error {
	config := listenConfig()
	for _, address := range flag.Args() {
		var socket io.Closer
		var err error
		if strings.HasPrefix(*network, "udp") {
			socket, err = config.ListenPacket(context.Background(), *network, address)
		} else {
			socket, err = config.Listen(context.Background(), *network, address)
		}
		if err != nil {
			return err
		}
		defer socket.Close()
	}
	return nil
}

// brief reports whether this is a box in which no report is asked for.
func brief() bool {
	_, inBox := os.Stat(box.Said)
	_, explains := os.Stat(box.Explain)
	return inBox == nil && errors.Is(explains, fs.ErrNotExist)
}

// bind does what listen does, and explains nothing.
func bind(r *guard.Report) error {
	config := privport.Config{ListenConfig: listenConfig()}
	for _, address := range flag.Args() {
		var socket io.Closer
		var err error
		if strings.HasPrefix(*network, "udp") {
			socket, _, err = config.ListenPacket(context.Background(), *network, address)
		} else {
			socket, _, err = config.Listen(context.Background(), *network, address)
		}
		var errno syscall.Errno
		if errors.As(err, &errno) {
			r.Errno = unix.ErrnoName(errno)
		}
		if err != nil {
			return err
		}
		defer socket.Close()
	}
	return nil
}

func exitCode(err error) int {
	if err != nil {
		return 77
	}
	return 0
}

func listenConfig() (lc net.ListenConfig) {
	lc.SetMultipathTCP(*mptcp)
	if *control != "" {
		lc.Control = setUp
	}
	return lc
}

func options(r *guard.Report) []guard.Option {
	opts := []guard.Option{guard.ListenConfig(listenConfig())}
	if r != nil {
		opts = append(opts, guard.ReportTo(r))
	}
	return opts
}

// setUp is the Control of the socket.
func setUp(_, _ string, c syscall.RawConn) error {
	if *control == "file" {
		_, err := os.ReadFile("/etc/shadow")
		return err
	}
	option := map[string]struct{ level, name int }{
		"transparent": {unix.SOL_IP, unix.IP_TRANSPARENT},
		"mark":        {unix.SOL_SOCKET, unix.SO_MARK},
		"reuseport":   {unix.SOL_SOCKET, unix.SO_REUSEPORT},
	}[*control]
	var set error
	err := c.Control(func(fd uintptr) {
		set = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), option.level, option.name, 1))
	})
	return errors.Join(err, set)
}

// awaitTracer waits until this process is traced.
func awaitTracer() error {
	// Written whole: the tracer waits for a file that is not empty.
	if err := os.WriteFile("/run/wait/pid", fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil {
		return err
	}
	for range 2000 {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		if !strings.Contains(string(status), "TracerPid:\t0\n") {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return errors.New("no tracer came")
}

// letGo does what takes capabilities away.
func letGo(how string) error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	switch how {
	case "":
		return nil
	case "drop":
		return drop.All()
	case "capset":
		_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&none[0])), 0)
		if errno != 0 {
			return errno
		}
		return nil
	case "thread":
		runtime.LockOSThread()
		return unix.Capset(&hdr, &none[0])
	case "user":
		if os.Getuid() != 0 {
			return nil // as a server does that can be started as any user
		}
		return errors.Join(syscall.Setgroups(nil), syscall.Setgid(1000), syscall.Setuid(1000))
	}
	return fmt.Errorf("%q is nothing to do before", how)
}

// leave writes what was said where the judge looks for it, if this is a box.
func leave(said dice.Said) error {
	text, err := json.Marshal(said)
	if err != nil {
		return err
	}
	err = os.WriteFile(fmt.Sprint(box.Said, "/report-", os.Getpid()), text, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
