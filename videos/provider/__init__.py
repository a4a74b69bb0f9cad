"""What is known of HeyGen: the circuit breaker, its alarms, its clients, our webhook registration."""
