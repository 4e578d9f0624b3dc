package launch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// A Database is the passwd(5) and the group(5) of an image, "" for one that it does not have.
type Database struct{ Passwd, Group string }

// Account looks up a user and a group, each by name or by number, as runtimes do for an image
// (GetExecUser of moby/sys/user): a number needs no account, a name does. An empty name is
// root.
func (d Database) Account(name, group string) (facts.Account, error) {
	a := facts.Account{Name: "root"}
	number, errNumber := strconv.ParseUint(name, 10, 31)
	found := name == ""
	for _, line := range entries(d.Passwd, 4) {
		uid, errUID := strconv.ParseUint(line[2], 10, 32)
		gid, errGID := strconv.ParseUint(line[3], 10, 32)
		same := line[0] == name || errNumber == nil && uid == number || name == "" && uid == 0
		if errUID == nil && errGID == nil && same {
			a, found = facts.Account{Name: line[0], UID: uint32(uid), GID: uint32(gid)}, true
			break
		}
	}
	switch {
	case found:
	case errNumber == nil:
		a = facts.Account{UID: uint32(number)}
	default:
		return a, fmt.Errorf("the image has no user %q", name)
	}
	if group != "" {
		gid, err := d.group(group)
		if err != nil {
			return a, err
		}
		a.GID = gid
	} else if found && a.Name != "" {
		a.Groups = d.of(a.Name)
	}
	if !slices.Contains(a.Groups, a.GID) {
		a.Groups = append(a.Groups, a.GID)
	}
	return a, nil
}

// group looks up a group.
func (d Database) group(name string) (uint32, error) {
	for _, line := range entries(d.Group, 3) {
		if gid, err := strconv.ParseUint(line[2], 10, 32); err == nil && line[0] == name {
			return uint32(gid), nil
		}
	}
	gid, err := strconv.ParseUint(name, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("the image has no group %q", name)
	}
	return uint32(gid), nil
}

// of lists the groups that name the user as a member.
func (d Database) of(user string) (groups []uint32) {
	for _, line := range entries(d.Group, 4) {
		gid, err := strconv.ParseUint(line[2], 10, 32)
		if err == nil && slices.Contains(strings.Split(line[3], ","), user) {
			groups = append(groups, uint32(gid))
		}
	}
	return groups
}

// entries are the lines of at least n fields.
func entries(text string, n int) (all [][]string) {
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) >= n && !strings.HasPrefix(line, "#") {
			all = append(all, fields)
		}
	}
	return all
}
