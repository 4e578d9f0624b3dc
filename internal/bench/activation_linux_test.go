package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
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
		for _, f := range activation.Files(true) {
			ln, err := net.FileListener(f)
			if err != nil {
				fmt.Println(f.Name(), "no listener")
				continue
			}
			fmt.Println(f.Name(), ln.Addr())
		}
	case "ours":
		for _, note := range privport.Leftover() {
			// inherited and not asked for so far: tcp4 ADDRESS (named "NAME")
			words := strings.Fields(strings.TrimPrefix(note, "inherited and not asked for so far: "))
			if words[0] != "tcp4" {
				fmt.Println("c no listener")
				continue
			}
			name, _ := strconv.Unquote(strings.TrimSuffix(words[3], ")"))
			fmt.Println(name, words[1])
		}
	}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "LISTEN_") {
			fmt.Println(v)
		}
	}
	for fd := 3; fd < 6; fd++ {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		fmt.Println(fd, flags, errno)
	}
	os.Exit(0)
}

// What go-systemd finds, lowport finds too, and both keep it from children.
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
	run := func(how, env string) string {
		cmd := exec.Command("sh", "-c", env+` exec "$0"`, exe)
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
}
