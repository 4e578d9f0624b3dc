// Fiber is a server of the framework fiber, which binds by itself and calls a hook then.
package main

import (
	"log"

	"github.com/gofiber/fiber/v3"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	app := fiber.New()
	app.Get("/", func(c fiber.Ctx) error { return c.SendString("hello\n") })
	app.Hooks().OnListen(func(fiber.ListenData) error { // new
		return drop.All() // new
	}) // new
	log.Fatal(guard.Explain(app.Listen(":80"))) // was: log.Fatal(app.Listen(":80"))
}
