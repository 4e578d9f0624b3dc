//go:build linux

package bench

import (
	"os"
	"os/exec"
	"testing"

	moby "github.com/moby/sys/capability"
	syndtr "github.com/syndtr/gocapability/capability"
	"golang.org/x/sys/unix"
	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/lowport/lowport/caps"
)

// BenchmarkFileCaps reads the capabilities of one file.
func BenchmarkFileCaps(b *testing.B) {
	path := b.TempDir() + "/program"
	must(b, 0, os.WriteFile(path, []byte("\x7fELF"), 0o755))
	if err := caps.WriteFile(path, caps.File{Permitted: caps.SetOf(caps.NET_BIND_SERVICE), Effective: true}, 0); err != nil {
		b.Skip("needs CAP_SETFCAP: ", err)
	}
	b.Run("lowport", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := caps.ReadFile(path)
			must(b, 0, err)
		}
	})
	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		var buf [64]byte
		for b.Loop() {
			_, err := unix.Getxattr(path, "security.capability", buf[:])
			must(b, 0, err)
		}
	})
	b.Run("libcap", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := libcap.GetFile(path)
			must(b, 0, err)
		}
	})
	b.Run("moby", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := moby.NewFile2(path)
			must(b, 0, err)
			must(b, 0, c.Load())
		}
	})
	b.Run("syndtr", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := syndtr.NewFile2(path)
			must(b, 0, err)
			must(b, 0, c.Load())
		}
	})
}

// BenchmarkScan looks for file capabilities in all of /usr, or LOWPORT_SCAN.
// The peers in Go have no scan.
func BenchmarkScan(b *testing.B) {
	root := os.Getenv("LOWPORT_SCAN")
	if root == "" {
		root = "/usr"
	}
	for range caps.Scan(root) { // so that everybody finds it cached
	}
	lowport := func(*testing.B) {
		for range caps.Scan(root) {
		}
	}
	b.Run("lowport", each(lowport))
	for name, args := range map[string][]string{"getcap": {"getcap", "-r", root}, "filecap": {"filecap", root}, "find": {"find", root, "-type", "f", "-name", "-"}} {
		peer := func(b *testing.B) {
			if _, err := exec.LookPath(args[0]); err != nil {
				b.Skip(err)
			}
			must(b, 0, exec.Command(args[0], args[1:]...).Run())
		}
		b.Run(name, each(peer))
		b.Run(name+"/lowport", inTurn(peer, lowport))
	}
}
