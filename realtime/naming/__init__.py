"""What a movement is called: from its key frames through a network to an emotion."""
