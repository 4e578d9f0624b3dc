package machine

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// A Record is the evidence as it was read, before anything is made of it: so a
// machine recorded in production replays anywhere.
type Record map[string]Item

// An Item is one reading: the bytes, or the name of the error.
type Item struct {
	Data []byte
	Err  string // "" for success, else an errno's name ("EPERM") or a sentence
}

// names lists every item a record can hold, in the order Save writes them.
var names = []string{
	"proc/thread-self/status", "prctl PR_GET_SECUREBITS", "prctl PR_GET_DUMPABLE", "AT_SECURE", "capget", "caps/drop", "threads",
	"proc/sys/kernel/cap_last_cap", "uname", "no_file_caps", "proc/1/status", "ancestor status",
	"proc/self/exe", "exe xattr", "exe stat", "exe statfs",
	"path xattr", "path stat", "path statfs", "mount point", "path outside", "read-only outside",
	"moved stat", "moved statfs",
	"proc/self/uid_map", "proc/self/ns/user", "proc/self/ns/net", "proc/self/ns/pid", "proc/self/ns/uts", "ioctl NS_GET_USERNS",
	"network apart", "network namespace name",
	"proc/sys/net/ipv4/ip_unprivileged_port_start",
	"proc/self/cgroup", "run/.containerenv", ".dockerenv", "run/host/container-manager", "run/systemd/system", "run/systemd/transient", "environ",
	"sys/kernel/security/lsm", "proc/self/attr/current", "sys/fs/selinux/enforce", "probes",
	"args", "cwd", "cwd statfs", "main package", "user",
	"sockets", "addresses", "tentative", "proc/sys/net/ipv4/ip_nonlocal_bind", "proc/sys/net/ipv6/ip_nonlocal_bind",
}

// Save writes the record as a txtar archive: a file for each item, its name
// followed by ": ERROR" where reading failed. Data that is not plain lines is
// quoted as a Go string.
func (r Record) Save() []byte {
	var a txtar.Archive
	for _, name := range names {
		item, ok := r[name]
		if !ok {
			continue
		}
		f := txtar.File{Name: name, Data: item.Data}
		if item.Err != "" {
			f = txtar.File{Name: name + ": " + oneLine(item.Err)}
		} else if !plain(item.Data) {
			f.Data = []byte(strconv.Quote(string(item.Data)) + "\n")
		}
		a.Files = append(a.Files, f)
	}
	return txtar.Format(&a)
}

// Load reads what Save wrote. An item it does not know is an error: evidence
// that is passed over proves nothing.
func Load(b []byte) (Record, error) {
	r := Record{}
	a := txtar.Parse(b)
	if len(a.Files) == 0 {
		return nil, errors.New("record: no recording")
	}
	if b[len(b)-1] != '\n' {
		return nil, errors.New("record: cut short")
	}
	for _, f := range a.Files {
		name, reason, _ := strings.Cut(f.Name, ": ")
		if !known(name) {
			return nil, fmt.Errorf("record: %q is not an item", name)
		}
		if _, twice := r[name]; twice {
			return nil, fmt.Errorf("record: %s: item repeated", name)
		}
		if reason != "" && len(f.Data) > 0 {
			return nil, fmt.Errorf("record: %s: both data and an error", name)
		}
		data, err := unquote(strings.TrimSuffix(string(f.Data), "\n"), string(f.Data))
		if err == nil {
			reason, err = unquote(reason, reason)
		}
		if err != nil {
			return nil, fmt.Errorf("record: %s: %w", name, err)
		}
		r[name] = Item{Data: []byte(data), Err: reason}
	}
	return r, nil
}

// unquote returns what quoted stands for if it is a Go string, else plain.
func unquote(quoted, plain string) (string, error) {
	if !strings.HasPrefix(quoted, `"`) {
		return plain, nil
	}
	return strconv.Unquote(quoted)
}

// oneLine makes the text of an error fit for the line of a file marker.
func oneLine(s string) string {
	if plain([]byte(s+"\n")) && strings.TrimSpace(s) == s && !strings.Contains(s, "\n") {
		return s
	}
	return strconv.Quote(s)
}

func known(name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// plain reports whether data survives a txtar archive as it is: printable
// lines, none of which looks like a file marker.
func plain(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	if data[len(data)-1] != '\n' || data[0] == '"' || bytes.Contains(append([]byte{'\n'}, data...), []byte("\n-- ")) {
		return false
	}
	for _, c := range string(data) {
		if c != '\n' && c != '\t' && !strconv.IsPrint(c) || c == '\uFFFD' {
			return false
		}
	}
	return true
}

// Lacks says whether the item is not there.
func (r Record) Lacks(name string) bool { return r[name].Err != "" }
