package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/guard/recording"
	guard "github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/needs"
)

// TestMain is also the program that is refused: it binds port 443 of UDP with a call of its
// own, so that nothing of lowport takes part, and ends at once or waits.
func TestMain(m *testing.M) {
	switch os.Getenv("REFUSED") {
	case "":
		os.Exit(m.Run())
	case "watch":
		os.Exit(run())
	case "again":
		for range 500 {
			refused()
		}
	}
	if !errors.Is(refused(), unix.EACCES) {
		os.Exit(1)
	}
	if os.Getenv("REFUSED") == "wait" {
		io.Copy(io.Discard, os.Stdin)
	}
	os.Exit(0)
}

func refused() error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrInet6{Port: 443})
}

// hear starts a watch and returns its reports, as they would be printed.
func hear(t *testing.T) <-chan report {
	t.Helper()
	if os.Geteuid() != 0 {
		needs.Lack(t, "root")
	}
	w, err := open(settings{})
	if err != nil {
		needs.Lack(t, err.Error())
	}
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- w.run(output{file: to, json: true}, time.Hour)
		to.Close()
	}()
	t.Cleanup(func() {
		w.stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return reports(from)
}

// hearApart is hear with a watch that is a process of its own, in which alone its threads end: a box
// ends with the thread that made it. It reports each refusal.
func hearApart(t *testing.T, flags ...string) <-chan report {
	t.Helper()
	if os.Geteuid() != 0 {
		needs.Lack(t, "root")
	}
	cmd := exec.Command("/proc/self/exe", append(flags, "-json", "-every", "0")...)
	cmd.Env = append(os.Environ(), "REFUSED=watch")
	out, err := cmd.StdoutPipe()
	errs, errPipe := cmd.StderrPipe()
	if err := errors.Join(err, errPipe, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(errs)
	if line, _ := said.ReadString('\n'); !strings.Contains(line, "hearing") {
		_ = cmd.Wait()
		needs.Lack(t, line)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		if rest, err := io.ReadAll(said); err != nil || len(rest) > 0 {
			t.Errorf("the watch says %s, %v", rest, err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return reports(out)
}

// reports returns the reports that are read from r.
func reports(r io.Reader) <-chan report {
	all := make(chan report, 10000)
	go func() {
		defer close(all)
		for d := json.NewDecoder(r); ; {
			var r report
			if err := d.Decode(&r); err != nil {
				return
			}
			all <- r
		}
	}()
	return all
}

// of returns the report about a process.
func of(t *testing.T, all <-chan report, pid int) report {
	t.Helper()
	for r := range all {
		if r.PID == pid && r.Report != nil {
			return r
		}
	}
	t.Fatal("no report")
	return report{}
}

// asNobody is a command that is this test as the program that is refused.
func asNobody(t *testing.T, how string) *exec.Cmd {
	t.Helper()
	dir, err := os.MkdirTemp("", "watch") // that of the test is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	if err := errors.Join(err, os.Chmod(dir, 0o755), os.WriteFile(dir+"/refused", self, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dir + "/refused")
	cmd.Env = []string{"REFUSED=" + how}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Cloneflags: syscall.CLONE_NEWNET,
	}
	return cmd
}

// A program that ends at once is explained as one that stays.
func TestEndsAtOnce(t *testing.T) {
	all := hear(t)
	cmd := asNobody(t, "end")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r := of(t, all, cmd.Process.Pid)
	if len(r.Report.Causes) == 0 || r.Report.Causes[0].ID != "no-capability" || r.Report.Errno != "EACCES" || r.Report.Subject != "bind udp :443" {
		t.Errorf("%+v", r.Report)
	}
	if !strings.HasSuffix(r.Exe, "/refused") || r.Command != "refused" {
		t.Errorf("exe %q, command %q", r.Exe, r.Command)
	}
}

// A recording of a program that ended replays as it was told.
func TestRecording(t *testing.T) {
	if os.Geteuid() != 0 {
		needs.Lack(t, "root")
	}
	w, err := open(settings{})
	if err != nil {
		needs.Lack(t, err.Error())
	}
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir, ended := t.TempDir(), make(chan error, 1)
	go func() { ended <- w.run(output{file: to, json: true, record: dir}, time.Hour) }()
	cmd := asNobody(t, "end")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	told := of(t, reports(from), cmd.Process.Pid)
	w.stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(fmt.Sprintf("%s/*-%d.txt", dir, cmd.Process.Pid))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	saved, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(saved, []byte(filepath.Dir(cmd.Path))) {
		t.Errorf("the recording names the path of the program:\n%s", saved)
	}
	var refused *guard.Error
	if err := recording.Replay(saved, "udp/:443"); !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if gist(refused.Report) != gist(*told.Report) {
		t.Errorf("the recording says %s, the watch %s", gist(refused.Report), gist(*told.Report))
	}
}

// gist names the errno, the causes and the fixes of a report.
func gist(r guard.Report) string {
	text := r.Errno
	for _, c := range r.Causes {
		text += " " + c.ID + " " + c.Certainty
	}
	for _, f := range r.Fixes {
		text += " " + f.ID
	}
	return text
}

// The doctor says the same of a process that stays.
func TestAsDoctor(t *testing.T) {
	all := hear(t)
	cmd := asNobody(t, "wait")
	in, err := cmd.StdinPipe()
	if err := errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	heard := of(t, all, cmd.Process.Pid)
	want, err := preflight.Running(cmd.Process.Pid, preflight.Unguarded, "udp/:443")
	if err == nil {
		t.Fatal("the doctor says that it may bind")
	}
	if len(heard.Report.Causes) == 0 || heard.Report.Causes[0].ID != want.Causes[0].ID || heard.Report.Causes[0].Summary != want.Causes[0].Summary {
		t.Errorf("the watch says %+v, the doctor %+v", heard.Report.Causes, want.Causes)
	}
}

// A program that tries again and again gives one report and a count.
func TestLoop(t *testing.T) {
	if os.Geteuid() != 0 {
		needs.Lack(t, "root")
	}
	w, err := open(settings{})
	if err != nil {
		needs.Lack(t, err.Error())
	}
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.run(output{file: file, json: true}, time.Hour) }()
	cmd := asNobody(t, "again")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	other := asNobody(t, "end") // its report comes behind all of the other's
	if out, err := other.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for marked := false; !marked; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		marked = bytes.Contains(b, []byte(other.Path))
	}
	w.stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	reports, again := 0, 0
	for d := json.NewDecoder(bytes.NewReader(b)); d.More(); {
		var r report
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if r.Exe != cmd.Path {
			continue
		}
		again += r.Again
		if r.Report != nil {
			reports++
		}
	}
	if reports != 1 || again == 0 {
		t.Errorf("%d reports, and %d times more", reports, again)
	}
}
