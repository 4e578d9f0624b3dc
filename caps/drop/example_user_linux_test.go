package drop_test

import (
	"fmt"
	"log"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
)

// Who a child of root's is to run as, with the groups of that user.
func ExampleLookupUser() {
	u, err := drop.LookupUser("root")
	if err != nil {
		log.Fatal(err)
	}
	child := drop.Child{User: &u}
	fmt.Println(child.User.UID, child.User.GID)
	// Output: 0 0
}

// A program that stays root narrows what any child of its can ever hold.
func ExampleClamp() {
	if err := drop.Clamp(caps.NET_BIND_SERVICE); err != nil {
		log.Fatal(err)
	}
}
