// What containers are made of and how they stand together: docker-compose.yml and the Dockerfile.

import './packaging_compose.mjs';
import './packaging_image.mjs';
