package privport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

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
