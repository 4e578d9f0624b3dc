package drop

import (
	"fmt"
	"os/user"
	"slices"
	"strconv"
)

// A User is who a process runs as: one uid and one gid in all four places of
// credentials(7), and exactly these supplementary groups.
type User struct {
	UID, GID uint32
	Groups   []uint32
}

// LookupUser returns the user with the given name and every group that the
// group database puts it in, as initgroups(3) does. A name that is not there is
// an error that wraps [user.UnknownUserError].
func LookupUser(name string) (User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return User{}, err
	}
	groups, err := u.GroupIds()
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
