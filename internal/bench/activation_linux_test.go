package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/lowport/lowport/privport"
)

// The two readers of LISTEN_FDS each run in a process of their own, which has to
// have the pid that LISTEN_PID names: the process that a shell becomes.
const activationEnv = "LOWPORT_BENCH_ACTIVATION"

func init() {
	switch how := os.Getenv(activationEnv); how {
	case "":
		return
	case "peer":
		for _, f := range activation.Files(false) {
			ln, err := net.FileListener(f)
			if err != nil {
				fmt.Println(f.Name(), "no listener")
				continue
			}
			fmt.Println(f.Name(), ln.Addr())
		}
	case "ours":
		for _, o := range privport.Offers() {
			if o.Network != "tcp4" {
				fmt.Println(o.Name, "no listener")
				continue
			}
			fmt.Println(o.Name, o.Addr)
		}
	case "ours first":
		bind(os.Args[1])
		listeners, err := activation.ListenersWithNames()
		fmt.Println(len(listeners["web"]), len(listeners["b"]), err)
	case "peer first":
		listeners, err := activation.ListenersWithNames()
		fmt.Println(len(listeners["web"]), len(listeners["b"]), err)
		bind(os.Args[1])
	}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "LISTEN_FD") {
			fmt.Println(v)
		}
	}
	for fd := 3; fd < 6; fd++ {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		fmt.Println(fd, flags, errno)
	}
	os.Exit(0)
}

// bind binds an address as a program does that uses lowport.
func bind(address string) {
	ln, via, err := privport.Listen(context.Background(), "tcp", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(via, ln.Addr())
}

// What go-systemd finds, lowport finds too, and both keep it from children. Beside each
// other each gets what it asks for.
func TestActivationAgrees(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	want := ""
	for _, name := range []string{"web", "b"} {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		f, err := ln.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
		want += name + " " + ln.Addr().String() + "\n"
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	files = append(files, null)
	run := func(how, env string, args ...string) string {
		cmd := exec.Command("sh", append([]string{"-c", env + ` exec "$0" "$@"`, exe}, args...)...)
		cmd.Env = append(os.Environ(), activationEnv+"="+how)
		cmd.ExtraFiles = files
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", how, err, out)
		}
		return string(out)
	}
	for _, tt := range []struct{ env, want string }{
		{"LISTEN_FDS=3 LISTEN_PID=$$ LISTEN_FDNAMES=web:b:c", want + "c no listener\n"},
		{"LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=web:b", want},
		{"LISTEN_FDS=0 LISTEN_PID=$$", ""},
	} {
		peer, ours := run("peer", "export "+tt.env+";"), run("ours", "export "+tt.env+";")
		if peer != ours || !strings.HasPrefix(ours, tt.want) {
			t.Errorf("%s: go-systemd\n%slowport\n%swant\n%s", tt.env, peer, ours, tt.want)
		}
	}
	const env = "export LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=web:b;"
	web := strings.Fields(want)[1]
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	other := free.Addr().String()
	for _, tt := range []struct{ how, address, want string }{
		{"ours first", other, "plain " + other + "\n1 1 <nil>\n"},
		{"ours first", web, "inherited " + web + "\n1 1 <nil>\n"},
		{"peer first", other, "1 1 <nil>\nplain " + other + "\n"},
	} {
		if got := run(tt.how, env, tt.address); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s, %s: got\n%swant\n%s", tt.how, tt.address, got, tt.want)
		}
	}
}
