package privport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/privport"
)

func init() {
	children["handed over"] = handedOver
	children["no children"] = noChildren
	children["lying"] = lying
	children["at once"] = atOnce
	children["closed meanwhile"] = closedMeanwhile
}

// handedOver is started with a listener and a packet socket, whose addresses
// are its arguments, and a second listener that it does not ask for.
func handedOver() error {
	ctx := context.Background()
	for range 2 { // a reload asks again
		ln, how, err := privport.Config{}.Listen(ctx, "tcp", os.Args[1])
		if err != nil || how.Via != privport.Inherited || ln.Addr().String() != os.Args[1] || len(how.Notes()) != 0 {
			return fmt.Errorf("tcp: %v, %+v, %v", ln, how, err)
		}
		if err := ln.Close(); err != nil {
			return err
		}
	}
	if left := privport.Leftover(); len(left) != 2 || !strings.Contains(left[0], "udp4 "+os.Args[2]) || !strings.Contains(left[1], "tcp4 "+os.Args[3]) {
		return fmt.Errorf("left over: %q", left)
	}
	c, via, err := privport.ListenPacket(ctx, "udp", os.Args[2])
	if err != nil || via != privport.Inherited {
		return fmt.Errorf("udp: %v, %v", via, err)
	}
	buf := make([]byte, 10)
	n, from, err := c.ReadFrom(buf)
	if err != nil {
		return err
	}
	if _, err := c.WriteTo(buf[:n], from); err != nil {
		return err
	}
	ln, _, err := privport.Listen(ctx, "tcp", os.Args[1])
	if err != nil {
		return err
	}
	conn, err := ln.Accept()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "hello"); err != nil {
		return err
	}
	conn.Close()

	// Nothing of it goes to a child of this process.
	for fd := 3; fd < 6; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			return fmt.Errorf("descriptor %d: flags %#x, %v", fd, flags, err)
		}
	}
	if os.Getenv("LISTEN_FDS") != "3" {
		return errors.New("what nobody took is not left for others")
	}
	if ln, _, err = privport.Listen(ctx, "tcp", os.Args[3]); err != nil {
		return err
	}
	ln.Close()
	for _, v := range os.Environ() {
		if strings.Contains(v, "LISTEN_") {
			return errors.New(v)
		}
	}
	return nil
}

func TestHandOver(t *testing.T) {
	first, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	packet, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	conn, err := net.Dial("tcp4", first.Addr().String()) // waits for its answer
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client, err := net.Dial("udp4", packet.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, first.Addr().String(), packet.LocalAddr().String(), other.Addr().String())
	cmd.Env = append(os.Environ(), childEnv+"=handed over", "LISTEN_PID=1", "LISTEN_FDNAMES=a:b:c")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	done, err := privport.HandOver(cmd, first, packet, other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := privport.HandOver(cmd, first); err == nil {
		t.Error("a command got sockets twice")
	}
	err = cmd.Start()
	done()
	if err != nil {
		t.Fatal(err)
	}
	// A socket that became blocking would let Close wait for a connection.
	raw, err := first.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("the listener is blocking: flags %#x, %v", flags, err)
		}
	})
	first.Close()
	packet.Close()
	io.WriteString(client, "ping")
	if got, err := io.ReadAll(conn); string(got) != "hello" {
		t.Errorf("answer %q, %v", got, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, &out)
	}
	buf := make([]byte, 10)
	if n, err := client.Read(buf); err != nil || string(buf[:n]) != "ping" {
		t.Errorf("echo %q, %v", buf[:n], err)
	}
}

// A listener of another kind has no socket to hand over.
func TestHandOverUnsupported(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	cmd := exec.Command("true")
	if _, err := privport.HandOver(cmd, a); !errors.Is(err, errors.ErrUnsupported) || len(cmd.ExtraFiles) != 0 {
		t.Errorf("%v, %v", err, cmd.ExtraFiles)
	}
}

// What the caller adds to the command, or shares between commands, stays the caller's.
func TestHandOverLeavesTheRest(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ready, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	defer tell.Close()
	env := append(make([]string, 0, 20), "COMMON=1")
	one, two := exec.Command("true"), exec.Command("true")
	one.Env, two.Env = env, env
	doneOne, err := privport.HandOver(one, ln)
	if err != nil {
		t.Fatal(err)
	}
	one.ExtraFiles = append(one.ExtraFiles, tell)
	doneTwo, err := privport.HandOver(two, ln, ln)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(one.Env, "LISTEN_FDS=1") || !slices.Contains(two.Env, "LISTEN_FDS=2") {
		t.Errorf("%q and %q", one.Env, two.Env)
	}
	copies := slices.Concat(one.ExtraFiles[:1], two.ExtraFiles)
	doneOne()
	doneTwo()
	if _, err := tell.Write([]byte{1}); err != nil {
		t.Errorf("a file of the caller's: %v", err)
	}
	for _, f := range copies {
		if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a copy is open still: %v", err)
		}
	}
}

// noChildren is the child of a process that was meant: the sockets are not its own.
func noChildren() error {
	if os.Getenv("AGAIN") == "" {
		exe, err := os.Executable()
		if err != nil {
			return err
		}
		cmd := exec.Command(exe, os.Args[1:]...)
		cmd.Env = append(os.Environ(), "AGAIN=1")
		cmd.ExtraFiles = []*os.File{os.NewFile(3, "passed on by mistake")}
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	}
	_, how, err := privport.Config{}.Listen(context.Background(), "tcp", os.Args[1])
	if !errors.Is(err, unix.EADDRINUSE) || how.Via != privport.Plain {
		return fmt.Errorf("%+v, %v", how, err)
	}
	if left := privport.Leftover(); len(left) != 1 || !strings.Contains(left[0], "for a child of process") {
		return fmt.Errorf("left over: %q", left)
	}
	return nil
}

// lying has an environment that promises what is not there: the runtime's own
// descriptors are no sockets, and stay as they are.
func lying() error {
	ln, how, err := privport.Config{}.Listen(context.Background(), "tcp", "127.0.0.1:"+os.Args[1])
	if err != nil || how.Via != privport.Plain {
		return fmt.Errorf("%+v, %v", how, err)
	}
	ln.Close()
	if left := privport.Leftover(); len(left) != 20 || !strings.Contains(left[19], "descriptor 22, no socket: ") {
		return fmt.Errorf("left over: %q", left)
	}
	return nil
}

func TestNotHandedOver(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"no children", "closed meanwhile"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(exe, ln.Addr().String())
			cmd.Env = append(os.Environ(), childEnv+"="+name)
			done, err := privport.HandOver(cmd, ln)
			if err != nil {
				t.Fatal(err)
			}
			defer done()
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	t.Run("lying", func(t *testing.T) {
		free, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(free.Addr().String())
		free.Close()
		cmd := exec.Command(exe, port)
		cmd.Env = append(os.Environ(), childEnv+"=lying", "LISTEN_FDS=20", fmt.Sprint("LOWPORT_LISTEN_PPID=", os.Getpid()))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// closedMeanwhile has other code that closes the descriptor it was started with, as
// one does who makes an os.File of it and lets it go, and opens another socket then.
func closedMeanwhile() error {
	ctx := context.Background()
	for range 2 {
		ln, how, err := privport.Config{}.Listen(ctx, "tcp", os.Args[1])
		if err != nil {
			return err
		}
		defer ln.Close()
		if how.Via != privport.Inherited || ln.Addr().String() != os.Args[1] {
			return fmt.Errorf("%v by way of %q", ln.Addr(), how.Via)
		}
		unix.Close(3)
		other, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer other.Close()
	}
	return nil
}

// atOnce asks for the socket from many goroutines, none of which has asked before.
func atOnce() error {
	start := make(chan bool)
	errs := make([]error, 100)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			<-start
			ln, via, err := privport.Listen(context.Background(), "tcp", os.Args[1])
			if err == nil && via != privport.Inherited {
				err = fmt.Errorf("by way of %q", via)
			}
			if ln != nil {
				ln.Close()
			}
			errs[i] = err
		})
	}
	close(start)
	wg.Wait()
	if left := privport.Leftover(); left != nil {
		return fmt.Errorf("left over: %q", left)
	}
	return errors.Join(errs...)
}

// The environment is read once, however many ask at the same time.
func TestHandedOverAtOnce(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for range 20 {
		cmd := exec.Command("/proc/self/exe", ln.Addr().String())
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", childEnv+"=at once")
		done, err := privport.HandOver(cmd, ln)
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.CombinedOutput()
		done()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

func init() {
	children["takes"] = takes
}

// takes asks for the network and address of its arguments, and prints how it got them.
func takes() error {
	network, address := os.Args[1], os.Args[2]
	var via privport.Via
	var err error
	if network == "unixgram" || network[:3] == "udp" {
		_, via, err = privport.ListenPacket(context.Background(), network, address)
	} else {
		_, via, err = privport.Listen(context.Background(), network, address)
	}
	if err != nil {
		fmt.Println(err)
		return nil
	}
	fmt.Println(via)
	return nil
}

// start starts exe with sockets as systemd passes them, which says itself for which
// process they are, and returns what it prints.
func start(t *testing.T, exe, names string, files []*os.File, args ...string) string {
	t.Helper()
	env := fmt.Sprintf("export LISTEN_FDS=%d LISTEN_PID=$$ LISTEN_FDNAMES=%s; ", len(files), names)
	cmd := exec.Command("sh", append([]string{"-c", env + `exec "$0" "$@"`, exe}, args...)...)
	cmd.Env = append(os.Environ(), childEnv+"=takes")
	cmd.ExtraFiles = files
	cmd.Dir = "/"
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// file is the socket of a listener or packet connection.
func file(t *testing.T, s io.Closer, err error) *os.File {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	t.Cleanup(func() { f.Close() })
	return f
}

// elsewhere makes a listener of the address in a network namespace of its own.
func elsewhere(t *testing.T, network, address string) *os.File {
	t.Helper()
	made := make(chan *os.File)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		defer close(made)
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			return
		}
		ln, err := net.Listen(network, address)
		if err != nil {
			t.Error(err)
			return
		}
		f, err := ln.(*net.TCPListener).File()
		if err != nil {
			t.Error(err)
		}
		ln.Close()
		made <- f
	}()
	f := <-made
	if f == nil {
		t.FailNow()
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Whoever starts a program that has more privileges than they must not choose what it
// serves on: not by a name, not in part, not in a network namespace of their own.
func TestStartedByLess(t *testing.T) {
	privileged := stampedCopy(t, caps.File{Version: 2, Permitted: bindService})
	ordinary := stampedCopy(t, caps.File{})
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	here := file(t, ln, err)
	address := ln.Addr().String()
	every, err := net.Listen("tcp4", "0.0.0.0:0")
	every4 := file(t, every, err)
	_, everyPort, _ := net.SplitHostPort(every.Addr().String())
	const apart = "127.0.0.1:40443"
	there := elsewhere(t, "tcp4", apart)

	for _, tt := range []struct {
		what, exe       string
		file            *os.File
		name            string
		address, answer string
	}{
		{"its own address", privileged, here, "web", address, "inherited"},
		{"another address under its name", privileged, here, "8443", "127.0.0.1:8443", "plain"},
		{"another address under its name", ordinary, here, "8443", "127.0.0.1:8443", "plain"},
		{"one family of two", ordinary, every4, "", ":" + everyPort, "inherited"},
		{"one family of two", privileged, every4, "", ":" + everyPort, "address already in use"},
		{"another network namespace", ordinary, there, "", apart, "inherited"},
		{"another network namespace", privileged, there, "", apart, "plain"},
	} {
		got := start(t, tt.exe, tt.name, []*os.File{tt.file}, "tcp", tt.address)
		if !strings.HasSuffix(got, tt.answer) {
			t.Errorf("%s, privileged %t: %s, want %s", tt.what, tt.exe == privileged, got, tt.answer)
		}
	}
}

// Each sort of socket is taken for what it is, and nothing that cannot serve.
func TestSorts(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		exe = stampedCopy(t, caps.File{}) // which another user may execute
	}
	dir := t.TempDir()
	unixListener := func(network, path string) *os.File {
		ln, err := net.Listen(network, path)
		if err == nil {
			ln.(*net.UnixListener).SetUnlinkOnClose(false)
		}
		return file(t, ln, err)
	}
	packet := func(network, address string) *os.File {
		c, err := net.ListenPacket(network, address)
		return file(t, c, err)
	}
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	address := tcp.Addr().String()
	listening := file(t, tcp, err)
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	udpAddress := udp.LocalAddr().String()
	bound := file(t, udp, err)
	dialed, err := net.Dial("udp4", udpAddress)
	connected := file(t, dialed, err)
	conn, err := net.Dial("tcp4", address)
	client := file(t, conn, err)
	for _, tt := range []struct {
		what             string
		file             *os.File
		network, address string
		taken            bool
	}{
		{"a TCP listener", listening, "tcp", address, true},
		{"a TCP listener", listening, "tcp4", address, true},
		{"a TCP connection", client, "tcp", conn.LocalAddr().String(), false},
		{"a UDP socket", bound, "udp", udpAddress, true},
		{"a connected UDP socket", connected, "udp", dialed.LocalAddr().String(), false},
		{"a unix listener", unixListener("unix", dir+"/stream"), "unix", dir + "/stream", true},
		{"an abstract unix listener", unixListener("unix", "@lowport-"+dir), "unix", "@lowport-" + dir, true},
		{"a unixpacket listener", unixListener("unixpacket", dir+"/packet"), "unixpacket", dir + "/packet", true},
		{"a unix listener for unixpacket", unixListener("unix", dir+"/other"), "unixpacket", dir + "/other", false},
		{"a unixgram socket", packet("unixgram", dir+"/datagram"), "unixgram", dir + "/datagram", true},
	} {
		got := start(t, exe, "", []*os.File{tt.file}, tt.network, tt.address)
		if (got == "inherited") != tt.taken {
			t.Errorf("%s for %s %s: %s", tt.what, tt.network, tt.address, got)
		}
	}
}

// Who was handed a Unix listener is reached at its file after the old one was closed. If the
// command does not start, the file goes with the listener as before.
func TestHandOverUnix(t *testing.T) {
	for _, program := range []string{"/bin/true", "/nonexistent"} {
		name := t.TempDir() + "/s"
		ln, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program)
		done, err := privport.HandOver(cmd, ln)
		if err != nil {
			t.Fatal(err)
		}
		started := cmd.Start() == nil
		done()
		if started {
			cmd.Wait()
		}
		ln.Close()
		if _, err := os.Stat(name); (err == nil) != started {
			t.Errorf("%s started %v: %v", program, started, err)
		}
	}
}
