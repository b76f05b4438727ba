"""What runs inside the images, in the place of AWS's `train`, around AWS's training toolkit.

``train``         from the platform's files to an exit code; the other modules are its steps
``launch``        source, requirements, hosts, script
``supervise``     one program's signals, stderr and exit code
``distribution``  one process, torchrun or mpirun; ``cluster``: what their hosts need to meet
``toolkit``       the one module that calls sagemaker-training
"""
