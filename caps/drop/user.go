package drop

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"slices"
	"strconv"
	"strings"
)

// A User is who a process runs as: one uid and one gid in all four places of
// credentials(7), and exactly these supplementary groups.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// LookupUser returns whom [ToUser] becomes for a name:
//
//   - a name of the user database, or a uid that is in it: with every group that the
//     group database puts the user in, as initgroups(3) does;
//   - a uid that is not in it, as in an image without /etc/passwd: the gid is the same
//     number, and there are no other groups. If that gid belongs to a group of the
//     database, which is then another's, it is an error;
//   - "UID:GID": these two and no other groups. No database is asked.
//
// Any other name that is not there is an error that wraps [user.UnknownUserError].
func LookupUser(name string) (User, error) {
	if uid, gid, ok := strings.Cut(name, ":"); ok {
		return numericUser(uid, gid)
	}
	u, err := user.Lookup(name)
	if err == nil {
		return userOf(name, u)
	}
	if _, e := parseID(name); e != nil {
		return User{}, err // that of the name
	}
	u, err = user.LookupId(name)
	if err == nil {
		return userOf(name, u)
	}
	if !absent[user.UnknownUserIdError](err) {
		return User{}, err
	}
	if g, err := user.LookupGroupId(name); err == nil {
		return User{}, fmt.Errorf("uid %s is not in the user database, and gid %s is that of group %s: give the gid as well, as in %q",
			name, name, g.Name, name+":GID")
	} else if !absent[user.UnknownGroupIdError](err) {
		return User{}, err
	}
	return numericUser(name, name)
}

// absent reports whether the database does not have an id, or is not there at all, rather
// than that it could not be read.
func absent[Unknown error](err error) bool {
	var unknown Unknown
	return errors.As(err, &unknown) || errors.Is(err, fs.ErrNotExist)
}

func numericUser(uid, gid string) (u User, err error) {
	if u.UID, err = parseID(uid); err != nil {
		return User{}, fmt.Errorf("uid of user %s:%s: %w", uid, gid, err)
	}
	if u.GID, err = parseID(gid); err != nil {
		return User{}, fmt.Errorf("gid of user %s:%s: %w", uid, gid, err)
	}
	return u, nil
}

// userOf adds the groups to what the user database has.
func userOf(name string, u *user.User) (User, error) {
	groups, err := u.GroupIds()
	if errors.Is(err, fs.ErrNotExist) { // no group database: the primary group alone
		groups, err = []string{u.Gid}, nil
	}
	if err != nil {
		return User{}, fmt.Errorf("groups of user %s: %w", name, err)
	}
	var who User
	if who.UID, err = parseID(u.Uid); err != nil {
		return User{}, fmt.Errorf("uid of user %s: %w", name, err)
	}
	if who.GID, err = parseID(u.Gid); err != nil {
		return User{}, fmt.Errorf("gid of user %s: %w", name, err)
	}
	for _, g := range groups {
		id, err := parseID(g)
		if err != nil {
			return User{}, fmt.Errorf("group of user %s: %w", name, err)
		}
		who.Groups = append(who.Groups, id)
	}
	slices.Sort(who.Groups)
	who.Groups = slices.Compact(who.Groups)
	return who, nil
}

func parseID(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	if err == nil && uint32(id) == ^uint32(0) {
		err = fmt.Errorf("%s is no id: setresuid(2) takes it for no change", s)
	}
	return uint32(id), err
}
