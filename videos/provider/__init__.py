"""What is known of HeyGen: the circuit breaker, its alarms, render times, the clients that speak to it."""
