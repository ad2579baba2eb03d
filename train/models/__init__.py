"""The networks, each as its paper draws it. How they are trained: `train.methods`."""
